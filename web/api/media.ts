/** Addresses of pictures and files. Covers come in few sizes, so that the server's cache holds few renditions. */
export type CoverKind = 'track' | 'album' | 'artist' | 'playlist'
export type CoverSize = 64 | 128 | 256 | 512 | 1024

export function coverAddress(kind: CoverKind, id: string, version: string, size: CoverSize): string {
  return `/api/covers/${kind}/${id}?size=${size}&v=${encodeURIComponent(version)}`
}

export function downloadAddress(track: { id: string; version: string }): string {
  return `/api/tracks/${track.id}/audio?v=${encodeURIComponent(track.version)}&download=1`
}
