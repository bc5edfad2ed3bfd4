import type { ByteRange } from './representation.ts'

/**
 * What a Range header asks for of `size` bytes (RFC 9110, 14.1.2 and 14.2). `whole`: there is none, or one to be
 * ignored: another unit, bad syntax, or several ranges, which no player sends and which cost a server more than they
 * save. `unsatisfiable`: well formed, but it has no byte in common with what there is.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'whole' | 'unsatisfiable' {
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? '')
  if (match === null) return 'whole'
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return 'whole'
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size }
  }
  const start = Number(first)
  const end = last === '' ? size : Math.min(Number(last) + 1, size)
  if (last !== '' && Number(last) < start) return 'whole'
  return start >= size ? 'unsatisfiable' : { start, end }
}
