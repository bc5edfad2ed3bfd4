/**
 * What is larger than this is never shown, nor kept: pictures, and files of lyrics, in bytes. By itself, since the
 * children that read files ask for nothing else of the facts.
 */
export const largestPicture = 64 * 1_048_576
export const largestLyrics = 2 * 1_048_576
