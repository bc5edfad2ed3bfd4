/** Which names in a music folder mean what. */

const audioSuffixes = new Set(
  (
    'mp3 mp2 mpga flac ogg oga opus spx m4a m4b m4p m4r aac alac wav wave bwf aif aiff aifc ' +
    'wv ape mpc mp+ mpp dsf dff wma asf tta mka'
  ).split(' '),
)
const imageSuffixes = new Set('jpg jpeg png webp gif avif bmp tif tiff'.split(' '))
const coverNames = ['cover', 'folder', 'front', 'album', 'albumart', 'artwork']

/** Folders that systems and NAS boxes keep for themselves. */
const systemFolders = new Set([
  '@eadir',
  '#recycle',
  '$recycle.bin',
  'system volume information',
  'lost+found',
])

/** What makes a folder, with all below it, no part of the music. */
export const ignoreMarkers = ['.nomedia', '.ndignore', '.hocketignore'] as const

function suffixOf(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1).toLowerCase()
}

export function isLyricsName(name: string): boolean {
  return /^(?:lrc|txt)$/.test(suffixOf(name))
}

export function isAudioName(name: string): boolean {
  return audioSuffixes.has(suffixOf(name))
}

/** Hidden names (`.`, among them the `._` files of macOS) and folders of the system are passed by. */
export function isHiddenName(name: string): boolean {
  return name.startsWith('.') || systemFolders.has(name.toLowerCase())
}

/** The picture of a folder: by its name in the order of `coverNames`; without such a name the only picture there is. */
export function chooseCover(names: readonly string[]): string | undefined {
  const images = names.filter((name) => imageSuffixes.has(suffixOf(name)))
  if (images.length === 0) return undefined
  for (const wanted of coverNames) {
    const found = images.find((name) => stemOf(name).toLowerCase() === wanted)
    if (found !== undefined) return found
  }
  return images.length === 1 ? images[0] : undefined
}

/** The lyrics beside the audio file `name`: the same name with `.lrc`, else `.txt`. `names` by lower case. */
export function chooseLyrics(name: string, names: ReadonlyMap<string, string>): string | undefined {
  const stem = stemOf(name).toLowerCase()
  return names.get(`${stem}.lrc`) ?? names.get(`${stem}.txt`)
}

function stemOf(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot <= 0 ? name : name.slice(0, dot)
}
