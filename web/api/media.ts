import type { Playable } from '../player/playable.ts'

/** Addresses of pictures and files. Covers come in few sizes, so that the server's cache holds few renditions. */
export type CoverKind = 'track' | 'album' | 'artist' | 'playlist' | 'podcast' | 'episode' | 'station'
export type CoverSize = 64 | 128 | 256 | 512 | 1024

export function coverAddress(kind: CoverKind, id: string, version: string, size: CoverSize): string {
  return `/api/covers/${kind}/${id}?size=${size}&v=${encodeURIComponent(version)}`
}

export function downloadAddress(track: Pick<Playable, 'kind' | 'id' | 'version'>): string {
  return `/api/${track.kind === 'episode' ? 'episodes' : 'tracks'}/${track.id}/audio?v=${encodeURIComponent(track.version)}&download=1`
}

/** A zip of the songs. */
export function archiveAddress(kind: 'album' | 'artist' | 'playlist', id: string): string {
  return `/api/${kind}s/${id}/download`
}

/** The picture of what plays. */
export function coverOf({ kind, id, cover }: Pick<Playable, 'kind' | 'id' | 'cover'>) {
  return { kind: kind ?? ('track' as const), id, version: cover }
}
