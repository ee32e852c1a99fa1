/* Counts the seconds until a confirmed campaign starts, then loads the page until it has. Without this script the page says
   the time of the start. By the server's clock: data-now is what it showed when it made the page. */
"use strict";
(() => {
  const place = document.querySelector("[data-countdown]");
  if (!place) return;
  const seconds = (Date.parse(place.dataset.countdown) - Date.parse(place.dataset.now)) / 1000;
  const begun = performance.now();
  const timer = setInterval(show, 250);
  function show() {
    const left = Math.ceil(seconds - (performance.now() - begun) / 1000);
    place.textContent = left > 0 ? `, in ${left} seconds` : ", within ten seconds";
    if (left > 0) return;
    clearInterval(timer);
    setTimeout(() => location.replace(location.pathname), 3000);
  }
  show();
})();
