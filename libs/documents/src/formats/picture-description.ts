/** Names that programs give are shorter. */
const maxGivenLength = 512;

const imageFile = /\.(?:avif|bmp|emf|eps|gif|heic|ico|jpe?g|pdf|png|svgz?|tiff?|webp|wmf)(?:[?#]\S*)?$/i;
const address = /^(?:blob|cid|data|file|https?):\S*$/i;
/** What programs call pictures and shapes that no one named, in some languages, mostly with a number. */
const givenName =
  /^(?:abbildung|afbeelding|bild|chart|content placeholder|diagramma?|dscn?|figur[ae]?|foto|graphic|gráfico|grafik|group|imagem?|imagen|img|immagine|logo|object|objekt|photo|pic|picture|placeholder|rectangle|screen ?shot|shape|table|text ?box|textfeld|untitled)[\s\d_.():-]*$/i;
/** What Office writes behind a description of its own making, in some languages. */
const machineMade = [
  "description automatically generated",
  "description générée automatiquement",
  "automatisch generierte beschreibung",
  "descripción generada automáticamente",
  "descrizione generata automaticamente",
  "automatisch gegenereerde beschrijving",
  "descrição gerada automaticamente",
  "自動的に生成された説明",
  "ai-generated content may be incorrect",
];

/**
 * Whether someone wrote a picture's alternative text to say what it shows: it is no file name or address, no name that a
 * program gave ("Picture 3"), and no guess of a program ("Description automatically generated").
 */
export function isPictureDescription(text: string): boolean {
  const words = text.trim();
  const lowerCase = words.toLowerCase();
  if (!/\p{L}/u.test(words) || machineMade.some((phrase) => lowerCase.includes(phrase))) return false;
  return words.length > maxGivenLength || ![imageFile, address, givenName].some((pattern) => pattern.test(words));
}

/** What an Office picture or shape is said to show, by its title and its description. */
export interface PictureText {
  /** Empty where no one wrote one. */
  readonly text: string;
  /** Characters of names and guesses of programs. */
  readonly skippedCharacters: number;
}

/** Puts title and description of an Office picture or shape together, from the attributes of its properties (or of VML). */
export function describePicture({ title = "", alt = "", descr = alt }: Readonly<Record<string, string>>): PictureText {
  const given = [...new Set([title.trim(), descr.trim()])];
  const [written, others] = [given.filter(isPictureDescription), given.filter((text) => !isPictureDescription(text))];
  return { text: written.join("\n"), skippedCharacters: others.join("").length };
}
