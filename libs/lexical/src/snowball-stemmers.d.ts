declare module "snowball-stemmers" {
  /** A stemmer of one of Snowball's languages, such as "english". */
  export function newStemmer(language: string): { stem(word: string): string };
}
