// Worksheets: moving and editing in the grid by keyboard and mouse, picking records, boards, previews, signatures.
"use strict";

document.documentElement.classList.add("js");
let next = null; // the cell to go to when the row that was saved comes back: {seq, field, edit}
const drafts = new WeakMap(); // td -> what stood in it before its editor

const cellsOf = (row) => [...row.querySelectorAll("td[data-f]")];
const rowsOf = (grid) => [...grid.querySelectorAll("tr[data-seq]")];
const cellAt = (grid, seq, field) => grid.querySelector(`tr[data-seq="${CSS.escape(seq)}"] td[data-f="${CSS.escape(field)}"]`);

function focusCell(cell) {
  if (!cell) return;
  const grid = cell.closest("[data-grid]");
  grid.querySelectorAll('td[tabindex="0"]').forEach((other) => { other.tabIndex = -1; });
  cell.tabIndex = 0;
  cell.focus();
}

function beside(cell, across, down) {
  const row = cell.closest("tr");
  const column = cellsOf(row).indexOf(cell);
  const rows = rowsOf(cell.closest("[data-grid]"));
  const target = rows[rows.indexOf(row) + down];
  return target && cellsOf(target)[column + across];
}

function nextEditable(cell, step) {
  const all = [...cell.closest("[data-grid]").querySelectorAll("td[data-edit]")];
  return all[all.indexOf(cell) + step];
}

function cellUrl(cell) {
  const grid = cell.closest("[data-grid]");
  return `${grid.dataset.url}/record/${cell.closest("tr").dataset.seq}/cell/${cell.dataset.f}${location.search}`;
}

function openEditor(cell) {
  if (!cell?.hasAttribute("data-edit") || cell.querySelector("[data-editing]")) return;
  const other = cell.closest("[data-grid]").querySelector("[data-editing]");
  if (other) {
    next = { seq: cell.closest("tr").dataset.seq, field: cell.dataset.f, edit: true };
    other.requestSubmit();
    return;
  }
  drafts.set(cell, cell.innerHTML);
  window.htmx.ajax("GET", cellUrl(cell), { target: cell, swap: "innerHTML" });
}

function closeEditor(cell) {
  if (!drafts.has(cell)) return;
  cell.innerHTML = drafts.get(cell);
  drafts.delete(cell);
  focusCell(cell);
}

function say(text) {
  let place = document.getElementById("w-said");
  if (!place) {
    place = document.createElement("p");
    place.id = "w-said";
    place.className = "visually-hidden";
    place.setAttribute("aria-live", "polite");
    document.body.append(place);
  }
  place.textContent = text;
}

const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], PageUp: [0, -10], PageDown: [0, 10] };

document.addEventListener("keydown", (event) => {
  const cell = event.target.closest?.("[data-grid] td[data-f]");
  if (!cell) return;
  const form = event.target.closest("[data-editing]");
  if (form) return keyInEditor(event, cell, form);
  if (event.target !== cell || event.ctrlKey || event.metaKey || event.altKey) return undefined;
  if (event.key in moves) {
    event.preventDefault();
    focusCell(beside(cell, ...moves[event.key]));
  } else if (event.key === "Home" || event.key === "End") {
    event.preventDefault();
    focusCell(cellsOf(cell.closest("tr")).at(event.key === "Home" ? 0 : -1));
  } else if (event.key === "Enter" || event.key === "F2") {
    event.preventDefault();
    if (cell.hasAttribute("data-edit")) openEditor(cell);
    else cell.querySelector("a")?.focus();
  }
  return undefined;
});

function keyInEditor(event, cell, form) {
  const controls = [...form.querySelectorAll("input:not([type=hidden]), select, textarea")];
  if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    closeEditor(cell);
  } else if (event.key === "Enter" && (event.target.matches("input:not([type=checkbox]):not([type=radio]):not([type=file]):not([type=search])") || event.ctrlKey)) {
    event.preventDefault();
    next = { seq: cell.closest("tr").dataset.seq, field: cell.dataset.f };
    form.requestSubmit();
  } else if (event.key === "Enter" && event.target.matches("[type=search]")) {
    event.preventDefault();
  } else if (event.key === "Tab" && event.target === (event.shiftKey ? controls[0] : controls.at(-1))) {
    const target = nextEditable(cell, event.shiftKey ? -1 : 1);
    if (!target) return;
    event.preventDefault();
    next = { seq: target.closest("tr").dataset.seq, field: target.dataset.f };
    form.requestSubmit();
  }
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-cancel]")) {
    closeEditor(event.target.closest("td"));
    return;
  }
  const cell = event.target.closest("[data-grid] td[data-f]");
  if (cell && !event.target.closest("a, button, input, select, textarea, label, [data-editing]")) {
    if (!cell.querySelector("[data-editing]")) focusCell(cell);
    openEditor(cell);
  }
});

document.addEventListener("focusin", (event) => {
  const cell = event.target.closest?.("[data-grid] td[data-f]");
  if (cell && event.target === cell) {
    cell.closest("[data-grid]").querySelectorAll('td[tabindex="0"]').forEach((other) => { if (other !== cell) other.tabIndex = -1; });
    cell.tabIndex = 0;
  }
});

document.addEventListener("htmx:afterSwap", (event) => {
  const form = event.target.querySelector?.("[data-editing]") || (event.target.matches?.("[data-editing]") ? event.target : null);
  if (form && event.target.matches("td")) {
    prepare(form);
    const control = form.querySelector("[aria-invalid]") || form.querySelector("input:checked, input:not([type=hidden]), select, textarea");
    control?.focus();
    if (control?.matches("input[type=text]")) control.select();
  }
});

document.addEventListener("htmx:afterSettle", (event) => {
  const grid = document.querySelector("[data-grid]");
  if (!grid || event.detail.requestConfig?.verb !== "post" || event.detail.xhr.status >= 300) return;
  say("Saved.");
  const path = event.detail.requestConfig.path.match(/\/record\/(\d+)\/cell\/(\w+)/);
  const wanted = next || (path && { seq: path[1], field: path[2] });
  next = null;
  if (!wanted) return;
  const cell = cellAt(grid, wanted.seq, wanted.field);
  focusCell(cell);
  if (wanted.edit) openEditor(cell);
});
document.addEventListener("htmx:responseError", () => { next = null; });

// Picking several records.
function countPicked() {
  const bar = document.querySelector("[data-picked]");
  if (!bar) return;
  const count = document.querySelectorAll("[data-pick]:checked").length;
  bar.hidden = count === 0;
  bar.querySelector("[data-count]").textContent = String(count);
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-pick-all]")) document.querySelectorAll("[data-pick]").forEach((box) => { box.checked = event.target.checked; });
  if (event.target.matches("[data-pick-all], [data-pick]")) countPicked();
  if (event.target.matches("[data-move]")) event.target.form.requestSubmit();
  if (event.target.matches("input[type=file][data-preview]")) preview(event.target);
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-pick-none]")) return;
  document.querySelectorAll("[data-pick], [data-pick-all]").forEach((box) => { box.checked = false; });
  countPicked();
});

// Pictures that were chosen are shown before they are sent.
function preview(input) {
  const place = input.closest("fieldset")?.querySelector("[data-previews]");
  if (!place) return;
  place.replaceChildren(...[...input.files].map((file) => {
    const shown = document.createElement(file.type.startsWith("image/") && file.type !== "image/svg+xml" ? "img" : "span");
    if (shown.tagName === "IMG") {
      shown.src = URL.createObjectURL(file);
      shown.alt = file.name;
      shown.width = 72;
    } else {
      shown.className = "chip";
      shown.textContent = file.name;
    }
    return shown;
  }));
}

// A signature is drawn on a canvas and sent as a picture, as if it had been chosen.
function prepare(root) {
  for (const holder of root.querySelectorAll("[data-draw]")) {
    if (holder.dataset.ready) continue;
    holder.dataset.ready = "1";
    holder.hidden = false;
    drawOn(holder, document.getElementById(holder.dataset.draw).querySelector("input[type=file]"));
  }
}

function drawOn(holder, input) {
  const canvas = holder.querySelector("canvas");
  const pen = canvas.getContext("2d");
  let drawing = false;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * canvas.width / box.width, (event.clientY - box.top) * canvas.height / box.height];
  };
  pen.lineWidth = 2.5;
  pen.lineCap = "round";
  pen.strokeStyle = "#14213d";
  canvas.addEventListener("pointerdown", (event) => {
    drawing = true;
    canvas.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(...at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drawing) return;
    pen.lineTo(...at(event));
    pen.stroke();
  });
  canvas.addEventListener("pointerup", () => {
    drawing = false;
    canvas.toBlob((blob) => {
      const files = new DataTransfer();
      files.items.add(new File([blob], "signature.png", { type: "image/png" }));
      input.files = files.files;
    });
  });
  holder.querySelector("[data-draw-clear]").addEventListener("click", () => {
    pen.clearRect(0, 0, canvas.width, canvas.height);
    input.value = "";
  });
}

// Cards of a board are moved by dragging too; the menu on each does the same.
document.addEventListener("dragstart", (event) => {
  const card = event.target.closest?.("[data-card]");
  if (card) event.dataTransfer.setData("text/plain", card.dataset.card);
});
document.addEventListener("dragover", (event) => {
  const stack = event.target.closest?.("[data-stack]");
  if (!stack) return;
  event.preventDefault();
  stack.classList.add("over");
});
document.addEventListener("dragleave", (event) => event.target.closest?.("[data-stack]")?.classList.remove("over"));
document.addEventListener("drop", (event) => {
  const stack = event.target.closest?.("[data-stack]");
  if (!stack) return;
  event.preventDefault();
  stack.classList.remove("over");
  const form = document.querySelector(`[data-card="${CSS.escape(event.dataTransfer.getData("text/plain"))}"] form`);
  if (!form) return;
  form.querySelector("[data-move]").value = stack.dataset.stack;
  form.requestSubmit();
});

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-grid] td[data-f]").forEach((cell, n) => { if (n === 0) cell.tabIndex = 0; });
  prepare(document);
  countPicked();
});
