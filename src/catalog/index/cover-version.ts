import { crc32 } from 'node:zlib'
import { embeddedPicture } from './track-row.ts'

/**
 * Eight characters that are others where a track's picture is another: one beside the music says when it changed, and one
 * in the music's file changes that file. `picture` is the track's column of that name.
 */
export function coverVersionOf(picture: number, fingerprint: Uint8Array): string {
  const file = (picture & embeddedPicture) === 0 ? new Uint8Array() : fingerprint
  return crc32(String(picture), crc32(file)).toString(16).padStart(8, '0')
}
