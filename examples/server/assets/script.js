// What is better with a script. Every page works without it.
"use strict";

// Times in the reader's own zone.
function localiseTimes(root) {
  for (const time of root.querySelectorAll("time")) {
    const moment = new Date(time.dateTime);
    if (isNaN(moment)) continue;
    const isToday = moment.toDateString() === new Date().toDateString();
    time.textContent = isToday
      ? moment.toLocaleTimeString()
      : moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  }
}

// Counts a wait down, by how long it is and not by the reader's clock, which may be wrong. The
// seconds are shown but not read aloud; the end is.
function countDown(wait) {
  const end = performance.now() + wait.dataset.countdown * 1000;
  const left = wait.querySelector(".left");
  left.setAttribute("aria-hidden", "true");
  const told = document.createElement("span");
  told.setAttribute("role", "status");
  wait.append(told);
  const show = () => {
    const seconds = Math.ceil((end - performance.now()) / 1000);
    if (seconds > 0) {
      const minutes = Math.floor(seconds / 60);
      left.textContent = ` (${minutes}:${String(seconds % 60).padStart(2, "0")} left)`;
    } else {
      clearInterval(ticking);
      wait.replaceChildren(told);
      told.textContent = "You can try again now.";
    }
  };
  const ticking = setInterval(show, 250);
  show();
}

// Prints the page.
function offerPrint(button) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A form is sent once, however often its button is pressed. Afterwards, since a button that can't be
// pressed isn't sent along; and again when the browser comes back to the page.
function sendOnce(form) {
  const allow = (isAllowed) => {
    for (const button of form.querySelectorAll("button")) button.disabled = !isAllowed;
  };
  form.addEventListener("submit", () => setTimeout(allow, 0, false));
  addEventListener("pageshow", () => allow(true));
}

// Brings a part of the page up to date every few seconds. Where the page can't be had, the old one
// stays, with its time on it. An address with credentials in it can't be fetched; its origin can.
function keepLive(part) {
  const address = location.origin + location.pathname;
  setInterval(async () => {
    const answer = await fetch(address).catch(() => null);
    if (!answer || !answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-live]");
    if (!fresh) return;
    localiseTimes(fresh);
    part.replaceChildren(...fresh.childNodes);
  }, 5000);
}

localiseTimes(document);
document.querySelectorAll("[data-countdown]").forEach(countDown);
document.querySelectorAll("[data-print]").forEach(offerPrint);
document.querySelectorAll("form[method=post]").forEach(sendOnce);
document.querySelectorAll("[data-live]").forEach(keepLive);
