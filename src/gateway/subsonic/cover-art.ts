/** Characters that tell one picture of something from the next. */
const longest = 8

/**
 * The id of the picture of something. Apps keep a picture by its id for ever, so the id changes with the picture: behind
 * what it is of stands its version, where there is one.
 */
export function coverArt(id: string, version: string): string {
  return version === '' ? id : `${id}-${version.slice(0, longest)}`
}

/**
 * What such an id is of, whichever version it names: what is shown is the picture of now. DSub asks for a playlist's by
 * an id that it makes up, as Subsonic's own server writes them.
 */
export function ofCoverArt(id: string): string {
  return id.replace(/^(?:pl|al|ar)-/, '').replace(/^(.{36})-[a-z0-9-]{1,64}$/s, '$1')
}
