// What pages need beyond HTML and htmx: menus that close, questions before what cannot be undone, dialogs, the side on wide screens.
"use strict";

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const close = event.target.closest("[data-close]");
  if (close) (close.closest("dialog, .notice"))?.[close.closest("dialog") ? "close" : "remove"]();
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    event.preventDefault();
    document.getElementById(opener.dataset.dialog)?.showModal();
  }
  const adder = event.target.closest("[data-add-row]");
  if (adder) addRow(adder);
  const remover = event.target.closest("[data-remove-row]");
  if (remover) remover.closest("[data-row]")?.remove();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector("details.menu[open]");
  if (open) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

document.addEventListener("focusin", (event) => {
  if (event.target.matches("input[data-select]")) event.target.select();
});

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm || event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// A form is sent once: a second click while the answer is on its way would make the same thing twice. Listens on the window, so that
// what others have stopped is not counted as sent.
const SENT_MS = 10_000;
let sentAt = new WeakMap();
window.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (Date.now() - (sentAt.get(event.target) ?? 0) < SENT_MS) event.preventDefault();
  else sentAt.set(event.target, Date.now());
});
window.addEventListener("pageshow", () => { sentAt = new WeakMap(); });

// A list of rows in a form: the template's "__n__" becomes a number that no row has yet.
function addRow(button) {
  const template = document.getElementById(button.dataset.addRow);
  const list = document.getElementById(template.dataset.into);
  const next = Number(list.dataset.next || list.children.length);
  list.dataset.next = String(next + 1);
  const holder = document.createElement("template");
  holder.innerHTML = template.innerHTML.replaceAll("__n__", String(next));
  const row = holder.content.firstElementChild;
  list.append(row);
  if (window.htmx) window.htmx.process(row);
  row.querySelector("input, select, textarea")?.focus();
}

// The side navigation is a closed <details> on narrow screens and always open on wide ones.
const wide = window.matchMedia("(min-width: 56.01rem)");
const openSide = () => document.querySelectorAll("details.side-fold").forEach((side) => { side.open = wide.matches; });
wide.addEventListener("change", openSide);
document.addEventListener("DOMContentLoaded", openSide);

// A choice of time zones starts with that of the browser, if nobody has chosen yet.
document.addEventListener("DOMContentLoaded", () => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const select of document.querySelectorAll("select[data-own-zone]")) {
    if ([...select.options].some((option) => option.value === zone)) select.value = zone;
  }
});

// A button that waits is let go once its time has come; the server looks again all the same.
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("button[data-wait-s]")) {
    window.setTimeout(() => {
      document.getElementById(button.getAttribute("aria-describedby"))?.remove();
      button.removeAttribute("aria-describedby");
      button.disabled = false;
    }, Number(button.dataset.waitS) * 1000);
  }
});

// The colour that was chosen stands beside its name.
document.addEventListener("change", (event) => {
  if (event.target.matches("select[data-swatch]")) event.target.previousElementSibling.style.background = event.target.value;
});

// Answers that refuse are shown where the server says (#notices), not thrown away.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status < 400 || !event.detail.xhr.getResponseHeader("HX-Retarget")) return;
  event.detail.shouldSwap = true;
  if (event.detail.xhr.status === 401) event.detail.isError = false; // said in the page; no error of a script
});
document.addEventListener("htmx:sendError", () => {
  const notices = document.getElementById("notices");
  if (!notices) return;
  const notice = document.createElement("p");
  notice.className = "notice bad";
  notice.setAttribute("role", "alert");
  notice.textContent = "The server cannot be reached. Nothing was changed. Try again in a moment.";
  notices.replaceChildren(notice);
});

// A page whose session has ended keeps what was typed into it. Once its reader has signed in again, in another tab, its forms get the new token.
async function takeToken() {
  const notice = document.querySelector("[data-signed-out]");
  if (!notice) return;
  const answer = await fetch("/session", { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!answer.ok) return;
  const { token, name } = await answer.json();
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
  for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = token;
  if (!notice.isConnected) return;
  notice.className = "notice good";
  notice.removeAttribute("data-signed-out");
  notice.textContent = `You are signed in again as ${name}. What you typed was not saved yet: save it once more.`;
}
window.addEventListener("focus", takeToken);
document.addEventListener("visibilitychange", () => { if (!document.hidden) takeToken(); });
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.querySelector?.('[data-signed-out="stale"]')) takeToken();
});
