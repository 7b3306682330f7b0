// The number of unread notifications in the bar, asked for twice a minute while the page is seen.
"use strict";

(() => {
  const bell = document.querySelector("[data-unread]");
  if (!bell) return;
  const EVERY_MS = 30_000;
  const count = bell.querySelector(".count");
  let last = Date.now();

  const show = (unread) => {
    count.hidden = !unread;
    count.textContent = unread > 99 ? "99+" : String(unread);
    bell.setAttribute("aria-label", unread ? `Notifications, ${unread} unread` : "Notifications");
  };

  const ask = async () => {
    last = Date.now();
    try {
      const answer = await fetch(bell.dataset.unread, { headers: { Accept: "application/json" }, redirect: "error" });
      if (answer.ok) show((await answer.json()).unread);
      else if (answer.status === 401) clearInterval(timer);
    } catch {
      // The server cannot be reached just now: the number stays, and is asked for again.
    }
  };

  const timer = setInterval(() => { if (!document.hidden) ask(); }, EVERY_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden && Date.now() - last > EVERY_MS) ask(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) ask(); });
})();
