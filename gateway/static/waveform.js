// The waveform of one speech, drawn as it arrives: bars that fill from the left, in colour as far as they are played.

const PEAK_SECONDS = 0.01;
const FULL_SCALE = 32768;
const BAR_PIXELS = 3;
const BAR_PITCH_PIXELS = 5;
const SMALLEST_BAR_PIXELS = 3;
// The picture is at least so long; it doubles when it is full, and fits the speech once all of it is there.
const SHORTEST_SECONDS = 4;
// Speech is mostly far below full scale; this exponent lifts quiet sounds into sight.
const LOUDNESS_EXPONENT = 0.6;
const EASING = 0.16;

export class Waveform {
  #canvas;
  #peakSamples;
  #peaks = [];
  #unfinished = { peak: 0, samples: 0 };
  #spanSeconds = SHORTEST_SECONDS;
  #still = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(canvas, sampleRateHz) {
    this.#canvas = canvas;
    this.#peakSamples = PEAK_SECONDS * sampleRateHz;
  }

  /** Takes int16 samples. */
  feed(samples) {
    let { peak, samples: count } = this.#unfinished;
    for (const sample of samples) {
      peak = Math.max(peak, Math.abs(sample));
      if (++count === this.#peakSamples) {
        this.#peaks.push(peak / FULL_SCALE);
        peak = count = 0;
      }
    }
    this.#unfinished = { peak, samples: count };
  }

  /** Draws what has come, `playedSeconds` of it as played; returns whether the picture is still changing by itself. */
  draw(playedSeconds, isReceived) {
    const wantedSeconds = this.#wantedSeconds(isReceived);
    const leftSeconds = wantedSeconds - this.#spanSeconds;
    const isSettled = this.#still.matches || Math.abs(leftSeconds) < PEAK_SECONDS;
    this.#spanSeconds = isSettled ? wantedSeconds : this.#spanSeconds + EASING * leftSeconds;
    this.#paint(playedSeconds);
    return !isSettled;
  }

  #wantedSeconds(isReceived) {
    const audioSeconds = this.#peaks.length * PEAK_SECONDS;
    if (isReceived && audioSeconds) return audioSeconds;
    const doublings = Math.max(0, Math.ceil(Math.log2(audioSeconds / SHORTEST_SECONDS)));
    return SHORTEST_SECONDS * 2 ** doublings;
  }

  #paint(playedSeconds) {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const context = this.#cleared(width, height);
    const colours = getComputedStyle(this.#canvas);
    const [played, held, empty] = ["--played", "--held", "--empty"].map((name) => colours.getPropertyValue(name));
    const bars = Math.floor(width / BAR_PITCH_PIXELS);
    for (let bar = 0; bar < bars; bar++) {
      const startSeconds = (bar / bars) * this.#spanSeconds;
      const peak = this.#peakBetween(startSeconds, ((bar + 1) / bars) * this.#spanSeconds);
      context.fillStyle = peak === null ? empty : startSeconds < playedSeconds ? played : held;
      const tall = Math.max(SMALLEST_BAR_PIXELS, height * (peak ?? 0) ** LOUDNESS_EXPONENT);
      context.beginPath();
      context.roundRect(bar * BAR_PITCH_PIXELS, (height - tall) / 2, BAR_PIXELS, tall, BAR_PIXELS / 2);
      context.fill();
    }
  }

  /** The canvas' context, blank, in CSS pixels. */
  #cleared(width, height) {
    const scale = window.devicePixelRatio;
    const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
    if (this.#canvas.width !== wide || this.#canvas.height !== high) {
      Object.assign(this.#canvas, { width: wide, height: high });
    }
    const context = this.#canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    return context;
  }

  /** The highest peak in an interval; null where nothing has come yet. */
  #peakBetween(startSeconds, endSeconds) {
    const first = Math.floor(startSeconds / PEAK_SECONDS);
    if (first >= this.#peaks.length) return null;
    const end = Math.min(this.#peaks.length, Math.max(first + 1, Math.floor(endSeconds / PEAK_SECONDS)));
    let highest = 0;
    for (let k = first; k < end; k++) highest = Math.max(highest, this.#peaks[k]);
    return highest;
  }
}
