// One speech from the press of a key to its last sample: the socket brings it, the voice plays it, the figures judge it.

import { Figures } from "./figures.js";
import { OVER, PLAYING } from "./jitter-buffer.js";
import { SpeechSocket } from "./socket.js";
import { openSound, SAMPLE_RATE_HZ, Voice } from "./sound.js";

export const STARTING = "starting";
export const SOUNDING = "sounding";
export const FINISHED = "finished";
export const CANCELLED = "cancelled";
export const FAILED = "failed";

// What the page keeps of one speech, in its memory and in its audio thread's: half an hour is 86 MB.
const MAX_AUDIO_SECONDS = 1800;

export class Speech {
  #pressedMilliseconds = performance.now();
  #onChange;
  #socket;
  #voice;
  #reportSeconds = 0;

  /** `request` is the message for /ws/tts; `place` among `places` that speak together; `onChange` hears every change. */
  constructor(request, place, places, onChange) {
    this.request = request;
    this.state = STARTING;
    this.error = "";
    this.chunks = [];
    this.figures = new Figures(SAMPLE_RATE_HZ);
    this.isReceived = false; // Nothing more will come.
    this.closing = null; // The server's closing message.
    this.playedSamples = 0;
    this.underruns = 0;
    this.gapSeconds = 0;
    this.startedSeconds = null; // From the press to the first sample at the loudspeaker.
    this.silenceSeconds = null; // From the cancel to silence at the loudspeaker.
    this.#onChange = onChange;
    this.#socket = new SpeechSocket(request, this);
    this.#openVoice(place, places);
  }

  /** Whether it will change no more, but for the silence after a cancel. */
  get isOver() {
    return [FINISHED, CANCELLED, FAILED].includes(this.state);
  }

  /** Samples played by now: those last reported, and the clock since. */
  get positionSamples() {
    if (this.state !== SOUNDING) return this.playedSamples;
    const sinceSeconds = Math.max(0, this.#voice.nowSeconds - this.#reportSeconds);
    const heldSamples = this.figures.audioSeconds * SAMPLE_RATE_HZ;
    return Math.min(this.playedSamples + sinceSeconds * SAMPLE_RATE_HZ, heldSamples);
  }

  /** Stops it here and, by hanging up, on the server. */
  cancel() {
    if (this.isOver) return;
    this.#voice?.cancel();
    this.#socket.close();
    this.isReceived = true;
    this.#become(CANCELLED);
  }

  onSamples(samples) {
    this.chunks.push(samples);
    this.figures.feed(this.#sincePressSeconds, samples);
    this.#voice?.feed(samples);
    if (this.figures.audioSeconds > MAX_AUDIO_SECONDS) this.#stopKeeping();
    this.#onChange(this);
  }

  onDone(message) {
    this.closing = message;
    this.#endVoice();
  }

  onFailed(sentence) {
    this.error = sentence;
    if (!this.chunks.length) this.state = FAILED; // Else what has come is played first.
    this.#endVoice();
  }

  #stopKeeping() {
    this.#socket.close();
    this.onFailed(`This page keeps ${MAX_AUDIO_SECONDS / 60} minutes of a speech and stopped there.`);
  }

  #endVoice() {
    this.isReceived = true;
    this.#voice?.end();
    this.#onChange(this);
  }

  async #openVoice(place, places) {
    try {
      const context = await openSound();
      if (this.isOver) return;
      this.#voice = new Voice(context, place, places, (report) => this.#follow(report));
      for (const samples of this.chunks) this.#voice.feed(samples);
      if (this.isReceived) this.#voice.end();
    } catch (error) {
      this.#socket.close();
      this.error = error.message;
      this.#become(FAILED);
    }
  }

  #follow({ state, atSeconds, playedSamples, underruns, gapSeconds }) {
    this.#reportSeconds = atSeconds;
    Object.assign(this, { playedSamples, underruns, gapSeconds });
    if (state === PLAYING && this.state === STARTING) this.#begin(atSeconds);
    if (state === OVER) this.#fallSilent(atSeconds);
    this.#onChange(this);
  }

  #begin(atSeconds) {
    const waySeconds = this.#voice.nowSeconds - atSeconds; // The report has been on its way for so long.
    this.startedSeconds = this.#sincePressSeconds - Math.max(0, waySeconds) + this.#voice.latencySeconds;
    this.state = SOUNDING;
  }

  #fallSilent(atSeconds) {
    this.#voice.close();
    // Also where there was too little to hear, or nothing: then the sound has never begun.
    if (!this.isOver) this.state = this.error ? FAILED : FINISHED;
    if (this.state === CANCELLED && this.startedSeconds !== null) {
      this.silenceSeconds = this.#voice.silenceSeconds(atSeconds);
    }
  }

  #become(state) {
    this.state = state;
    this.#onChange(this);
  }

  get #sincePressSeconds() {
    return (performance.now() - this.#pressedMilliseconds) / 1000;
  }
}
