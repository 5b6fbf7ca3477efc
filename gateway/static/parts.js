// Parts of a template's clone.

/** The elements inside that carry `data-part`, by its value. */
export function partsOf(element) {
  return Object.fromEntries([...element.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
}
