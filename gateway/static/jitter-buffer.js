// A jitter buffer: samples in as they come, sound out at the pace of the audio clock. No clock and no I/O of its own.
//
// It begins once START_HELD_SECONDS are held or all has come. Each interval without a sample to play before the end is
// one underrun, as in swara/player.py; what is still missing when the end comes was no gap, for nothing followed it.

export const START_HELD_SECONDS = 0.2;
// The end of a speech that is dropped in mid-sound: long enough not to click, short enough to be silence at once.
const FADE_SAMPLES = 128;
const FULL_SCALE = 32768;

export const WAITING = "waiting";
export const PLAYING = "playing";
export const OVER = "over";

export class JitterBuffer {
  #chunks = [];
  #readSamples = 0;
  #drySamples = 0;
  #ended = false;

  constructor(sampleRateHz) {
    this.startHeldSamples = START_HELD_SECONDS * sampleRateHz;
    this.state = WAITING;
    this.heldSamples = 0;
    this.playedSamples = 0;
    this.underruns = 0;
    this.gapSamples = 0;
  }

  /** Takes int16 samples. */
  feed(samples) {
    if (this.#ended || !samples.length) return;
    if (this.#drySamples) {
      this.underruns += 1;
      this.gapSamples += this.#drySamples;
      this.#drySamples = 0;
    }
    this.#chunks.push(samples);
    this.heldSamples += samples.length;
  }

  /** Nothing more will come; what is held plays to its end. */
  end() {
    this.#ended = true;
  }

  /** Forgets what is held, but for the few samples that fade out. */
  drop() {
    const fading = new Float32Array(this.state === PLAYING ? Math.min(FADE_SAMPLES, this.heldSamples) : 0);
    this.#take(fading);
    this.#chunks = fading.length ? [fading.map((value, k) => FULL_SCALE * value * (1 - k / fading.length))] : [];
    this.#readSamples = 0;
    this.heldSamples = fading.length;
    this.end();
  }

  /** Fills `output` with what is to be heard now, silence where there is nothing; returns how many samples it had. */
  pull(output) {
    output.fill(0);
    if (this.state === WAITING && (this.#ended || this.heldSamples >= this.startHeldSamples)) this.state = PLAYING;
    if (this.state !== PLAYING) return 0;
    const taken = this.#take(output);
    this.playedSamples += taken;
    if (taken < output.length) this.#runDry(output.length - taken);
    return taken;
  }

  #runDry(samples) {
    if (this.#ended) this.state = OVER;
    else this.#drySamples += samples;
  }

  #take(output) {
    let taken = 0;
    while (taken < output.length && this.#chunks.length) {
      const chunk = this.#chunks[0];
      const count = Math.min(output.length - taken, chunk.length - this.#readSamples);
      for (let k = 0; k < count; k++) output[taken + k] = chunk[this.#readSamples + k] / FULL_SCALE;
      taken += count;
      this.#readSamples += count;
      if (this.#readSamples === chunk.length) this.#nextChunk();
    }
    this.heldSamples -= taken;
    return taken;
  }

  #nextChunk() {
    this.#chunks.shift();
    this.#readSamples = 0;
  }
}
