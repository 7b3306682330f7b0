// The structure of worksheets: words put into a formula where the cursor is, and formulas tried while they are written.
"use strict";

document.documentElement.classList.add("js");
let waiting = 0;

document.addEventListener("click", (event) => {
  const word = event.target.closest("[data-insert]");
  const area = word && document.getElementById(word.dataset.at);
  if (!area) return;
  area.focus();
  area.setRangeText(word.dataset.insert, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
});

document.addEventListener("input", (event) => {
  const trial = document.getElementById("trial");
  if (!trial || event.target.id !== trial.dataset.watch) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => window.htmx.trigger("#trial", "try"), 400);
});
