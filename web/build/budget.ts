import { gzipSync } from 'node:zlib'
import type { Plugin, Rollup } from 'vite'

export interface Budget {
  /** Bytes of gzip-compressed script. */
  limit: number
  /** Modules (by the end of their path) that the first screen loads though the entry imports them lazily. */
  alsoLoads: readonly string[]
}

/** Fails the build when the script that the first screen needs has grown beyond its budget. */
export function firstScreenBudget({ limit, alsoLoads }: Budget): Plugin {
  return {
    name: 'hocket-first-screen-budget',
    apply: 'build',
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === 'chunk')
      const first = firstScreen(chunks, alsoLoads)
      const sizes = first.map((chunk) => ({
        name: chunk.fileName,
        bytes: gzipSync(chunk.code, { level: 9 }).length,
      }))
      const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0)
      this.info(`the first screen loads ${total} bytes of compressed script, of ${limit} that it may`)
      if (total <= limit) return
      const list = sizes.toSorted((a, b) => b.bytes - a.bytes).map(({ name, bytes }) => `${bytes} ${name}`)
      this.error(
        `The first screen loads ${total} bytes of compressed script; it may ${limit}.\n${list.join('\n')}`,
      )
    },
  }
}

function firstScreen(chunks: Rollup.OutputChunk[], alsoLoads: readonly string[]): Rollup.OutputChunk[] {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]))
  const wanted = chunks.filter(
    (chunk) => chunk.isEntry || alsoLoads.some((end) => chunk.facadeModuleId?.endsWith(end) === true),
  )
  const found = new Set<Rollup.OutputChunk>()
  const visit = (chunk: Rollup.OutputChunk) => {
    if (found.has(chunk)) return
    found.add(chunk)
    for (const name of chunk.imports) {
      const imported = byName.get(name)
      if (imported !== undefined) visit(imported)
    }
  }
  wanted.forEach(visit)
  return [...found]
}
