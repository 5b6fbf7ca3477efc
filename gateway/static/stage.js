// The speeches on the page: starts them, stops them, keeps the newest, sums up those that were started together.

import { Row } from "./row.js";
import { CANCELLED, FINISHED, SOUNDING } from "./speech.js";
import { showSummary } from "./summary.js";
import { gapCount, milliseconds, seconds } from "./words.js";

// A browser opens 255 WebSockets at most; ears and screens give up much earlier.
const MAX_RUNNING = 24;
// Finished speeches keep their PCM for the download: 24 of a minute are 70 MB.
const MAX_ROWS = 24;

export class Stage {
  #list = document.getElementById("speeches");
  #status = document.getElementById("status");
  #summary = document.getElementById("summary");
  #rows = [];
  #batch = [];
  #onRunning;

  /** `onRunning(count)` is told how many speeches run whenever that changes. */
  constructor(onRunning) {
    this.#onRunning = onRunning;
    const redraw = () => this.#rows.forEach((row) => row.redraw());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  }

  /** Speaks a request `places` times at once. */
  play(request, places) {
    if (this.#running.length + places > MAX_RUNNING) {
      return this.#say(`This page speaks ${MAX_RUNNING} texts at once and no more.`);
    }
    this.#say(places > 1 ? `${places} speeches started.` : "Speech started.");
    this.#batch = Array.from({ length: places }, (_, k) => new Row(request, k, places, this));
    this.#rows = [...this.#batch, ...this.#rows];
    this.#list.prepend(...this.#batch.map((row) => row.element));
    this.#batch[0].element.scrollIntoView({ block: "nearest" });
    this.#clearOld();
    this.#tellRunning();
    this.onFigures();
  }

  /** Stops everything that runs. */
  stop() {
    for (const row of this.#running) row.speech.cancel();
  }

  /** A row tells that its speech has a new state. */
  onState({ speech }) {
    const { state, figures, underruns, startedSeconds } = speech;
    if (state === SOUNDING) this.#say(`Playing after ${milliseconds(startedSeconds)}.`);
    if (state === FINISHED) this.#say(`Finished: ${seconds(figures.audioSeconds)} of speech, ${gapCount(underruns)}.`);
    if (state === CANCELLED) this.#say("Stopped.");
    this.#tellRunning();
  }

  /** A row tells that its speech has new figures. */
  onFigures() {
    showSummary(this.#summary, this.#batch.map((row) => row.speech));
  }

  get #running() {
    return this.#rows.filter((row) => !row.speech.isOver);
  }

  #clearOld() {
    const old = this.#rows.filter((row) => row.speech.isOver).slice(Math.max(0, MAX_ROWS - this.#running.length));
    for (const row of old) row.element.remove();
    this.#rows = this.#rows.filter((row) => !old.includes(row));
  }

  #tellRunning() {
    this.#onRunning(this.#running.length);
  }

  #say(sentence) {
    this.#status.textContent = sentence;
  }
}
