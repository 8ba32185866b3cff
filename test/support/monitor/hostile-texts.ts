/**
 * Names, messages and log lines as nobody should write them and somebody will: very long, wide, combining,
 * right to left, emoji, escape sequences, and any mixture. The same ones in every run.
 */
import { createRandom } from "../fuzz/random.ts";

const SAMPLES: readonly string[] = [
  "",
  " ",
  "render-frames",
  "a-name-that-does-not-end-".repeat(12),
  "日本語の名前がとても長い仕事",
  "한국어 이름",
  "\u1112\u1161\u11ab\u1100\u1173\u11af",
  "🚀 launch 👨‍👩‍👧‍👦 👍🏽 🇩🇪 ⚠️ ✅ 1️⃣",
  "שלום עולם 123",
  "مرحبا بالعالم ﷺ",
  "z\u0336\u0337a\u0489l\u0315g\u033eo".repeat(20),
  "नमस्ते क्षत्रिय",
  "ด็กำลัง",
  "\u001b[2J\u001b[31mred\u001b[0m\u001b]52;c;ZXZpbA==\u0007",
  "\u009b31m\u009d0;title\u009c",
  "\u202egnp.exe\u202c \u2066x\u2069 \u200f",
  "line\nfeed\r\ncarriage\u2028separator\u2029\u0085",
  "tab\tand\ttab",
  "\ud800 lone \udfff",
  "\u200b\u200c\u200d\ufeff\u00ad\u2060",
  "\u0000\u0001\u007f\u0080",
  "ｆｕｌｌｗｉｄｔｈ ﾊﾝｶｸ ﾞ",
  "𝒜𝓁𝓅𝒽𝒶 𐍈 𠀀𠀁",
  "\ue000\uf8ff\uffff\u{10ffff}",
  "½ ① ㍿ ℃ ± ° µ × ÷ → ⇒ ■ ★ ☃ ☰ ䷀",
];

export function hostileTexts(count: number, seed = 1): readonly string[] {
  const random = createRandom(seed);
  const pick = () => SAMPLES[random.below(SAMPLES.length)] ?? "";
  const anyCharacters = () =>
    Array.from({ length: random.below(60) }, () =>
      String.fromCodePoint(random.below(random.below(2) === 0 ? 0x3000 : 0x10ffff)),
    ).join("");
  return Array.from({ length: count }, (_, index) =>
    index < SAMPLES.length
      ? (SAMPLES[index] ?? "")
      : random.below(2) === 0
        ? pick() + pick()
        : anyCharacters(),
  );
}
