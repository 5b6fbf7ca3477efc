// The audio thread's side of one speech: a jitter buffer behind a message port.
//
// In: { samples }, { end }, { cancel }. Out: reports, at most one every REPORT_SECONDS and one at each change.

import { JitterBuffer, OVER } from "./jitter-buffer.js";

const REPORT_SECONDS = 0.05;

class SpeechProcessor extends AudioWorkletProcessor {
  #buffer = new JitterBuffer(sampleRate);
  #reportedSeconds = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#hear(data);
  }

  process(inputs, [[channel]]) {
    const before = this.#buffer.state;
    const taken = this.#buffer.pull(channel);
    const changed = this.#buffer.state !== before;
    if (changed || currentTime - this.#reportedSeconds >= REPORT_SECONDS) this.#report(taken);
    return this.#buffer.state !== OVER;
  }

  #hear({ samples, end, cancel }) {
    if (samples) this.#buffer.feed(samples);
    if (end) this.#buffer.end();
    if (cancel) this.#buffer.drop();
  }

  /** `atSeconds` is when the sound of this block ends, on the clock that the page reads as `currentTime`. */
  #report(taken) {
    const { state, playedSamples, underruns, gapSamples } = this.#buffer;
    const atSeconds = currentTime + taken / sampleRate;
    this.#reportedSeconds = currentTime;
    this.port.postMessage({ state, atSeconds, playedSamples, underruns, gapSeconds: gapSamples / sampleRate });
  }
}

registerProcessor("speech", SpeechProcessor);
