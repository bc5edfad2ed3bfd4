/**
 * Names for the files in a zip that every system takes: whoever unpacks it may have another than the server, and titles
 * come from strangers' tags.
 */
export interface ZipNames {
  /** A folder for what `key` stands for: the same one for the same key, and another one for every other. */
  folder(key: string, name: string): string
  /** A file in the folder; `suffix` without its dot. No two are the same, however a system compares names. */
  file(folder: string, name: string, suffix: string): string
}

export function createZipNames(): ZipNames {
  const taken = new Set<string>()
  const folders = new Map<string, string>()

  function unique(before: string, name: string, after: string): string {
    for (let count = 1; ; count += 1) {
      const path = `${before}${name}${count === 1 ? '' : ` (${count})`}${after}`
      // Windows and macOS take names for the same that differ in case or in how an accent is written.
      const compared = path.normalize('NFKC').toLowerCase()
      if (taken.has(compared)) continue
      taken.add(compared)
      return path
    }
  }

  return {
    folder(key, name) {
      const known = folders.get(key)
      if (known !== undefined) return known
      const made = unique('', safeName(name), '')
      folders.set(key, made)
      return made
    },
    file: (folder, name, suffix) =>
      unique(`${folder}/`, safeName(name), `.${suffix.replace(/[^a-z0-9]/gi, '') || 'bin'}`),
  }
}

/** File systems take 255 bytes for a name; some are left for a number and the suffix. */
const longest = 180

/** One part of a path: no separator, nothing that leads elsewhere, nothing that a system refuses. Never empty. */
export function safeName(text: string): string {
  const name = shortened(text.toWellFormed().normalize('NFC').replace(unsafe, '_').trim())
    // A dot before hides a file, or leads out of a folder; Windows drops dots and spaces behind.
    .replace(/^\.+/, '_')
    .replace(/[. ]+$/, '')
  if (name === '') return 'Unnamed'
  return reserved.test(name) ? `_${name}` : name
}

function shortened(name: string): string {
  let bytes = 0
  let length = 0
  for (const character of name) {
    bytes += Buffer.byteLength(character)
    if (bytes > longest) break
    length += character.length
  }
  return name.slice(0, length)
}

/** Separators, what Windows refuses, control characters, and marks that turn the direction of writing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be found.
const unsafe = /[\x00-\x1f\x7f-\x9f/\\:*?"<>|\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** Devices of MS-DOS, which Windows still finds under these names, whatever follows a dot. */
const reserved = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\.|$)/i
