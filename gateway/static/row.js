// One speech on the page: what it says, its waveform, its figures, stop and download.

import { partsOf } from "./parts.js";
import { SAMPLE_RATE_HZ } from "./sound.js";
import { CANCELLED, FAILED, FINISHED, SOUNDING, Speech, STARTING } from "./speech.js";
import { wavFile } from "./wav.js";
import { Waveform } from "./waveform.js";
import { gaps, milliseconds, seconds, times, titled } from "./words.js";

const STATE_WORDS = {
  [STARTING]: "Starting",
  [SOUNDING]: "Playing",
  [FINISHED]: "Finished",
  [CANCELLED]: "Stopped",
  [FAILED]: "Failed",
};
// Long enough for any browser to have begun the download.
const DOWNLOAD_SECONDS = 60;

/** Shows a speech from its start in `element`; calls `listener`'s onState(row) and onFigures(row) as they change. */
export class Row {
  #parts;
  #waveform;
  #listener;
  #drawnChunks = 0;
  #shownState = "";
  #frame = 0;

  constructor(request, place, places, listener) {
    this.element = document.getElementById("row").content.firstElementChild.cloneNode(true);
    this.#parts = partsOf(this.element);
    this.#waveform = new Waveform(this.#parts.wave, SAMPLE_RATE_HZ);
    this.#listener = listener;
    this.#parts.voice.textContent = request.voice ? titled(request.voice) : "Default voice";
    this.#parts.text.textContent = request.text;
    this.#parts.stop.onclick = () => this.speech.cancel();
    this.#parts.download.onclick = () => this.#download();
    this.#parts.badge.textContent = places > 1 ? `${place + 1} of ${places}` : "";
    this.speech = new Speech(request, place, places, () => this.#refresh());
    this.#refresh();
    new ResizeObserver(() => this.redraw()).observe(this.#parts.wave);
  }

  #refresh() {
    if (!this.speech) return; // It tells of its first change before its constructor has returned.
    this.#showFigures();
    this.#showState();
    this.#listener.onFigures(this);
    this.redraw();
  }

  #showFigures() {
    const { figures, startedSeconds, underruns, gapSeconds, silenceSeconds } = this.speech;
    this.#parts.audible.textContent = milliseconds(figures.firstAudibleSeconds);
    this.#parts.started.textContent = milliseconds(startedSeconds);
    this.#parts.gaps.textContent = gaps(underruns, gapSeconds);
    this.#parts.factor.textContent = times(figures.realTimeFactor);
    this.#parts.length.textContent = seconds(figures.audioSeconds);
    this.#parts.silence.textContent = milliseconds(silenceSeconds);
    this.#parts.silence.parentElement.hidden = silenceSeconds === null;
    this.element.dataset.underruns = underruns;
  }

  #showState() {
    const { state, error, isOver, isReceived, chunks, closing } = this.speech;
    if (error) this.#parts.error.textContent = error;
    if (closing) this.#parts.seed.textContent = `seed ${closing.seed}`;
    this.#parts.download.disabled = !isReceived || !chunks.length;
    this.#parts.download.hidden = isOver && !chunks.length;
    this.#parts.wave.hidden = this.#parts.figures.hidden = state === FAILED && !chunks.length;
    if (state === this.#shownState) return;
    this.#shownState = state;
    this.element.dataset.state = state;
    this.#parts.state.textContent = STATE_WORDS[state];
    if (isOver) this.#retireStop();
    this.#listener.onState(this);
  }

  /** Hides the stop button; who had it in focus goes on to the download. */
  #retireStop() {
    const hadFocus = this.#parts.stop === document.activeElement;
    this.#parts.stop.hidden = true;
    if (hadFocus) (this.#parts.download.disabled ? this.element : this.#parts.download).focus();
  }

  /** Draws the waveform with the next picture. */
  redraw() {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = 0;
    const { chunks, isReceived, positionSamples, state } = this.speech;
    while (this.#drawnChunks < chunks.length) this.#waveform.feed(chunks[this.#drawnChunks++]);
    const isMoving = this.#waveform.draw(positionSamples / SAMPLE_RATE_HZ, isReceived);
    if (isMoving || state === SOUNDING) this.redraw();
  }

  #download() {
    const { request, chunks, closing } = this.speech;
    const url = URL.createObjectURL(wavFile(chunks, SAMPLE_RATE_HZ));
    const name = ["swara", request.voice, closing?.seed].filter(Boolean).join("-");
    Object.assign(document.createElement("a"), { href: url, download: `${name}.wav` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000 * DOWNLOAD_SECONDS);
  }
}
