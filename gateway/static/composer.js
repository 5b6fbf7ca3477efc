// The form: text, voice, model, seed, how many at once. It fills itself from the catalogue and becomes a request.

import { fetchVoices, KeyWanted } from "./catalogue.js";
import { keepKey } from "./key.js";
import { partsOf } from "./parts.js";
import { languageOf, SAMPLES } from "./samples.js";
import { characters, language, titled } from "./words.js";

const LANGUAGE_LABELS = { hi: "हिन्दी", en: "English" };

export class Composer {
  #form = document.getElementById("composer");
  #text = document.getElementById("text");
  #hint = document.getElementById("hint");
  #voices = document.getElementById("voices");
  #trouble = document.getElementById("trouble");
  #key = document.getElementById("key");
  #catalogue = [];

  constructor() {
    this.#offerSamples();
    this.#text.value = SAMPLES[0].text;
    this.#text.oninput = () => this.#showHint();
    this.#form.elements.model.onchange = () => this.#offerVoices();
    this.#voices.onchange = () => this.#showHint();
    document.getElementById("again").onclick = () => this.load();
    this.#key.onkeydown = (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // Else it would play.
      this.load();
    };
  }

  /** Asks the server for its voices; says what it said where it has none. */
  async load() {
    this.#trouble.hidden = true;
    keepKey(this.#key.value);
    try {
      this.#catalogue = await fetchVoices();
    } catch (error) {
      this.#catalogue = [];
      this.#key.parentElement.hidden = !(error instanceof KeyWanted);
      this.#trouble.querySelector("p").textContent = error.message;
      this.#trouble.hidden = false;
    }
    const models = [...new Set(this.#catalogue.map((voice) => voice.model))];
    this.#form.elements.model.replaceChildren(...models.map((name) => new Option(name)));
    this.#offerVoices();
  }

  /** What the form asks for, as a message for /ws/tts. */
  get request() {
    const { text, voice, model, seed } = Object.fromEntries(new FormData(this.#form));
    const fields = { text, voice, model, seed: seed.trim() };
    return Object.fromEntries(Object.entries(fields).filter(([name, value]) => name === "text" || value));
  }

  /** How many speeches at once. */
  get places() {
    return Number(this.#form.elements.places.value);
  }

  #offerSamples() {
    for (const code of Object.keys(LANGUAGE_LABELS)) {
      const group = document.getElementById(`samples-${code}`);
      group.append(...SAMPLES.filter((sample) => sample.language === code).map((sample) => this.#chip(sample)));
    }
  }

  #chip({ language: lang, name, text }) {
    const chip = Object.assign(document.createElement("button"), { type: "button", className: "chip", lang });
    chip.textContent = name;
    chip.onclick = () => {
      this.#text.value = text;
      this.#showHint();
    };
    return chip;
  }

  #offerVoices() {
    const voices = this.#catalogue.filter((voice) => voice.model === this.#form.elements.model.value);
    this.#voices.replaceChildren(...voices.map(voiceCard));
    this.#voices.querySelector("input")?.setAttribute("checked", "");
    this.#showHint();
  }

  /** Counts the characters, and says where a voice does not speak the text's language. */
  #showHint() {
    const text = this.#text.value;
    this.#text.lang = languageOf(text) || "en";
    const name = this.#form.elements.voice?.value;
    const voice = this.#catalogue.find((each) => each.name === name && each.model === this.#form.elements.model.value);
    const isForeign = voice && languageOf(text) && languageOf(text) !== voice.language;
    const count = characters([...text].length);
    this.#hint.textContent = isForeign ? `${count} · ${titled(name)} speaks ${language(voice.language)} only` : count;
    this.#hint.classList.toggle("notable", Boolean(isForeign));
  }
}

function voiceCard(voice) {
  const card = document.getElementById("voice").content.firstElementChild.cloneNode(true);
  const parts = partsOf(card);
  card.querySelector("input").value = voice.name;
  parts.mark.textContent = voice.name.charAt(0).toUpperCase();
  parts.name.textContent = titled(voice.name);
  parts.language.textContent = language(voice.language);
  parts.description.textContent = voice.description;
  return card;
}
