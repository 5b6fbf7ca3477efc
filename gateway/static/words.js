// How figures are written.

/** "212 ms"; a dash where it never happened. */
export function milliseconds(seconds) {
  return seconds === null ? "–" : `${Math.round(1000 * seconds)} ms`;
}

/** "3.2 s". */
export function seconds(value) {
  return `${value.toFixed(1)} s`;
}

/** "2.4×". */
export function times(factor) {
  return factor ? `${factor.toFixed(1)}×` : "–";
}

/** "none", "1 · 40 ms" or "3 · 250 ms". */
export function gaps(underruns, gapSeconds) {
  return underruns ? `${underruns} · ${milliseconds(gapSeconds)}` : "none";
}

/** "1 gap", "2 gaps", "no gaps". */
export function gapCount(underruns) {
  return `${underruns || "no"} ${underruns === 1 ? "gap" : "gaps"}`;
}

/** "1 character", "47 characters". */
export function characters(count) {
  return `${count} ${count === 1 ? "character" : "characters"}`;
}

/** "asha" as "Asha". */
export function titled(name) {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

const languages = new Intl.DisplayNames(["en"], { type: "language" });

/** "hi" as "Hindi"; the code itself where it is none. */
export function language(code) {
  try {
    return languages.of(code);
  } catch {
    return code;
  }
}
