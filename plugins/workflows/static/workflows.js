// Inserts a value into the text field that was last in use, and selects a secret address when it is focused.
(() => {
  let last = null;
  document.addEventListener("focusin", (event) => {
    const field = event.target;
    if (field.matches("#editor input[type=text], #editor input:not([type]), #editor textarea")) last = field;
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-token]");
    if (!button) return;
    if (!last || !last.isConnected) last = document.querySelector("#editor textarea, #editor input[type=text], #editor input:not([type])");
    if (!last) return;
    last.setRangeText(button.dataset.token, last.selectionStart ?? last.value.length, last.selectionEnd ?? last.value.length, "end");
    last.dispatchEvent(new Event("input", { bubbles: true }));
    last.focus();
  });
})();
