// What a listener experienced of the network's side of a speech, as swara/player.py measures it.

const AUDIBLE_DBFS = -50;
const WINDOW_SECONDS = 0.01;
const FULL_SCALE = 32767;

/** Feed it samples with their arrival, in seconds since play was pressed. */
export class Figures {
  #rateHz;
  #unjudged = new Int16Array(0);
  #samples = 0;
  #lastSeconds = 0;

  constructor(sampleRateHz) {
    this.#rateHz = sampleRateHz;
    /** When the first 10 ms above -50 dBFS had come; null until then. */
    this.firstAudibleSeconds = null;
  }

  feed(atSeconds, samples) {
    this.#lastSeconds = atSeconds;
    this.#samples += samples.length;
    if (this.firstAudibleSeconds === null && this.#isAudible(samples)) this.firstAudibleSeconds = atSeconds;
  }

  get audioSeconds() {
    return this.#samples / this.#rateHz;
  }

  /** When the last samples had come. */
  get arrivalSeconds() {
    return this.#lastSeconds;
  }

  /** Seconds of audio per second of waiting for all of it; above 1 is faster than real time. */
  get realTimeFactor() {
    return this.#lastSeconds > 0 ? this.audioSeconds / this.#lastSeconds : 0;
  }

  #isAudible(samples) {
    const heard = joined([this.#unjudged, samples]);
    const window = Math.floor(WINDOW_SECONDS * this.#rateHz);
    let start = 0;
    for (; start + window <= heard.length; start += window) {
      if (rmsDbfs(heard.subarray(start, start + window)) > AUDIBLE_DBFS) return true;
    }
    this.#unjudged = heard.slice(start);
    return false;
  }
}

/** Loudness of int16 samples in dB below full scale. */
function rmsDbfs(samples) {
  let power = 0;
  for (const sample of samples) power += (sample / FULL_SCALE) ** 2;
  return 10 * Math.log10(power / samples.length);
}

/** One array of int16 samples out of several. */
export function joined(chunks) {
  const whole = new Int16Array(chunks.reduce((samples, chunk) => samples + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
