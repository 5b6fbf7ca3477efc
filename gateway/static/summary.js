// What speeches that were started together have come to.

import { partsOf } from "./parts.js";
import { FAILED } from "./speech.js";
import { gaps, milliseconds, times } from "./words.js";

/** Shows the figures of several speeches in the list `element`; hides it for a single one. */
export function showSummary(element, speeches) {
  element.hidden = speeches.length < 2;
  const parts = partsOf(element);
  const heard = speeches.filter((speech) => speech.figures.firstAudibleSeconds !== null);
  const sum = (value) => heard.reduce((total, speech) => total + value(speech), 0);
  parts.places.textContent = speeches.length;
  parts.heard.textContent = heard.length;
  parts.refused.textContent = speeches.filter(({ state, chunks }) => state === FAILED && !chunks.length).length;
  parts.audible.textContent = milliseconds(median(heard.map(({ figures }) => figures.firstAudibleSeconds)));
  parts.gaps.textContent = gaps(sum(({ underruns }) => underruns), sum(({ gapSeconds }) => gapSeconds));
  const lastSeconds = Math.max(0, ...heard.map(({ figures }) => figures.arrivalSeconds));
  parts.factor.textContent = times(lastSeconds && sum(({ figures }) => figures.audioSeconds) / lastSeconds);
}

/** The middle of several numbers; null of none. */
function median(values) {
  if (!values.length) return null;
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
