// Texts to try.

export const SAMPLES = [
  { language: "hi", name: "नमस्ते", text: "नमस्ते, आप कैसे हैं? आपसे मिलकर बहुत अच्छा लगा।" },
  { language: "hi", name: "मौसम", text: "आज सुबह से बारिश हो रही है, इसलिए छाता लेकर ही घर से निकलिए।" },
  { language: "hi", name: "सूचना", text: "आपका सामान तैयार है। कृपया शाम तक आकर उसे दुकान से ले जाइए।" },
  {
    language: "hi",
    name: "कहानी",
    text:
      "एक गाँव में एक बूढ़ा किसान रहता था। उसके पास एक छोटा सा खेत और दो बैल थे। " +
      "हर सुबह वह सूरज निकलने से पहले खेत पर पहुँच जाता था। " +
      "लोग उससे पूछते थे कि वह इतना खुश क्यों रहता है, और वह हँसकर कहता था कि मेहनत की रोटी सबसे मीठी होती है।",
  },
  { language: "en", name: "Hello", text: "Hello, how are you today? It is a pleasure to meet you." },
  { language: "en", name: "Notice", text: "Your order is ready. Please collect it at the counter before six this evening." },
  {
    language: "en",
    name: "Story",
    text:
      "An old farmer lived at the edge of a village with two oxen and one small field. " +
      "Every morning he was at work before the sun came up. " +
      "When people asked him why he was always so cheerful, he laughed and said that bread you have earned tastes sweetest.",
  },
];

/** The language a text seems to be written in, by its letters: "hi", "en", or "" where it has neither's. */
export function languageOf(text) {
  const devanagari = text.match(/\p{Script=Devanagari}/gu)?.length ?? 0;
  const latin = text.match(/\p{Script=Latin}/gu)?.length ?? 0;
  if (!devanagari && !latin) return "";
  return devanagari >= latin ? "hi" : "en";
}
