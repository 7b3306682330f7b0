// Backup & Restore. Ticking a part means "only these parts".
"use strict";

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-part]")) return;
  const some = event.target.form?.querySelector("[data-some]");
  if (some && event.target.checked) some.checked = true;
}, true);

// A start that takes a while says so; coming back to the page makes the button usable again.
document.addEventListener("submit", (event) => {
  const button = event.target.querySelector("[data-busy]");
  if (!button) return;
  button.dataset.idle = button.textContent;
  setTimeout(() => { button.disabled = true; button.textContent = button.dataset.busy; });
});
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[data-idle]")) {
    button.disabled = false;
    button.textContent = button.dataset.idle;
  }
});

// Restore from file: the file goes in parts, each from where the last one ended, so that a broken connection costs one part.
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];

class Sending {
  constructor(form) {
    this.form = form;
    this.waiting = JSON.parse(form.dataset.waiting || "[]");
    this.paused = false;
    this.running = false;
  }

  part(name) { return this.form.querySelector(`[data-${name}]`); }

  async ask(url, options = {}) {
    const headers = { Accept: "application/json", "X-CSRFToken": this.form.querySelector('[name="csrf_token"]').value, ...options.headers };
    const answer = await fetch(url, { ...options, headers, credentials: "same-origin" });
    if (answer.redirected) throw Object.assign(new Error("You are signed out. Sign in again in another tab, then continue."), { final: true });
    const value = await answer.json().catch(() => ({}));
    if (answer.ok) return value;
    const refused = new Error(value.detail || "The server refused the file.");
    throw Object.assign(refused, { final: answer.status < 500 && answer.status !== 409 && answer.status !== 429, status: answer.status });
  }

  async begin(file) {
    const same = this.waiting.find((one) => one.name === file.name && one.size === file.size);
    if (same) return this.ask(same.url);
    const body = new URLSearchParams({ name: file.name, size: String(file.size) });
    return this.ask(this.form.dataset.upload, { method: "POST", body });
  }

  async send(file) {
    this.running = true;
    this.show("Uploading");
    let upload = await this.patient(() => this.begin(file));
    if (!this.waiting.some((one) => one.upload === upload.upload)) this.waiting.push(upload);
    while (upload.received < file.size) {
      await this.whilePaused();
      this.progress(upload.received, file.size);
      upload = await this.patient(async (again) => {
        const now = again ? await this.ask(upload.url) : upload;
        if (now.received >= file.size) return now;
        const body = file.slice(now.received, now.received + now.part_bytes);
        return this.ask(upload.url, { method: "PATCH", body, headers: { "Upload-Offset": String(now.received), "Content-Type": "application/octet-stream" } });
      });
    }
    this.progress(file.size, file.size);
    const done = await this.patient(() => this.ask(upload.finish_url, { method: "POST" }));
    window.location.assign(done.url);
  }

  // Try again while the other side cannot be reached or is busy; what it refuses for good goes on up.
  async patient(work) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const found = await work(attempt > 0);
        this.tell("");
        return found;
      } catch (error) {
        if (error.final) throw error;
        this.tell("Connection lost. The upload continues as soon as the server can be reached.");
        await new Promise((go) => { setTimeout(go, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]); });
      }
    }
  }

  async whilePaused() {
    while (this.paused) await new Promise((go) => { setTimeout(go, 200); });
  }

  show(words) {
    this.part("error").hidden = true;
    this.part("sending").hidden = false;
    this.part("words").textContent = words;
    this.part("send").disabled = true;
    this.part("pause").hidden = false;
  }

  progress(done, size) {
    const percent = size ? Math.floor((100 * done) / size) : 100;
    const bar = this.form.querySelector(".progress");
    bar.setAttribute("aria-valuenow", String(percent));
    bar.firstElementChild.style.width = `${percent}%`;
    this.part("percent").textContent = `${percent} %`;
  }

  tell(text) { this.part("told").textContent = text; }

  refuse(error) {
    this.running = false;
    this.part("sending").hidden = true;
    this.part("pause").hidden = true;
    this.part("send").disabled = false;
    this.part("error").textContent = error.message;
    this.part("error").hidden = false;
  }

  pause() {
    this.paused = !this.paused;
    this.part("pause").textContent = this.paused ? "Resume" : "Pause";
    this.part("words").textContent = this.paused ? "Paused" : "Uploading";
  }
}

document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("form[data-upload]");
  if (!form) return;
  const sending = new Sending(form);
  form.addEventListener("submit", (event) => {
    const file = form.querySelector('[type="file"]').files[0];
    if (!file) return;
    event.preventDefault();
    if (!sending.running) sending.send(file).catch((error) => sending.refuse(error));
  });
  form.querySelector("[data-pause]").addEventListener("click", () => sending.pause());
  window.addEventListener("beforeunload", (event) => {
    if (sending.running && !sending.part("sending").hidden && sending.part("percent").textContent !== "100 %") event.preventDefault();
  });
});
