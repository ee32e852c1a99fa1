/* Keeps the progress of campaigns on the first page up to date. Without this script the page shows it as it was when it
   was loaded. Asks only while somebody can see the page. */
"use strict";
(() => {
  const place = document.querySelector("[data-progress]");
  if (!place) return;
  const note = place.querySelector("[data-progress-note]");
  const every = 1000 * Number(place.dataset.progressEvery);
  const shown = () => [...place.querySelectorAll("[data-campaign]")];
  const number = (value) => value.toLocaleString("en");

  function write(card, row) {
    const bar = card.querySelector("[data-bar]");
    if (bar) {
      bar.querySelector("rect").setAttribute("width", `${row.share ?? 0}%`);
      if (row.share !== null) bar.setAttribute("aria-valuenow", row.share);
      card.querySelector("[data-done]").textContent =
        row.total === null ? "being counted" : `${number(row.done)} of ${number(row.total)} mails done`;
      card.querySelector("[data-rate]").textContent = row.rate ? `${number(Math.round(row.rate * 10) / 10)} a second` : "";
      card.querySelector("[data-left]").textContent = row.left;
    }
    const waits = card.querySelector("[data-waits]");
    waits.replaceChildren(...row.waits.map((sentence) => {
      const line = document.createElement("li");
      line.textContent = sentence;
      return line;
    }));
  }

  async function ask() {
    const answer = await fetch(place.dataset.progress, { credentials: "same-origin", redirect: "error" });
    if (!answer.ok) throw new Error(answer.status);
    const { campaigns } = await answer.json();
    const before = shown().map((card) => `${card.dataset.campaign} ${card.dataset.status}`).join();
    const now = campaigns.map((row) => `${row.id} ${row.status}`).join();
    if (before !== now) {
      // One began, ended or was paused: other parts of the page have changed too.
      location.reload();
      return;
    }
    shown().forEach((card, index) => write(card, campaigns[index]));
    note.textContent = "";
  }

  setInterval(() => {
    if (document.hidden) return;
    ask().catch(() => { note.textContent = "cannot be reached just now; the numbers are those of before"; });
  }, every);
})();
