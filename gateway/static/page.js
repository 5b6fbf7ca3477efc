// The page /test: what keys and buttons do.

import { Composer } from "./composer.js";
import { Stage } from "./stage.js";

const form = document.getElementById("composer");
const stop = document.getElementById("stop");

const composer = new Composer();
const stage = new Stage((running) => {
  document.body.dataset.running = running;
  if (!running && document.activeElement === stop) document.getElementById("play").focus();
  stop.disabled = !running;
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  stage.play(composer.request, composer.places);
});
stop.addEventListener("click", () => stage.stop());

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") stage.stop();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  }
});

composer.load();
