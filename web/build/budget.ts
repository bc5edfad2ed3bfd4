import { gzipSync } from 'node:zlib'
import type { Plugin, Rollup } from 'vite'

export interface Budget {
  /** The page: its name among the inputs of the build. */
  page: string
  /** Bytes of gzip-compressed script. */
  limit: number
  /** Modules (by the end of their path) that the first screen loads though the entry imports them lazily. */
  alsoLoads: readonly string[]
}

/** Fails the build when the script that the first screen needs has grown beyond its budget. */
export function firstScreenBudget({ page, limit, alsoLoads }: Budget): Plugin {
  return {
    name: `hocket-first-screen-budget-${page}`,
    apply: 'build',
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === 'chunk')
      const first = firstScreen(chunks, page, alsoLoads)
      const sizes = first.map((chunk) => ({
        name: chunk.fileName,
        bytes: gzipSync(chunk.code, { level: 9 }).length,
      }))
      const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0)
      this.info(
        `the first screen of ${page} loads ${total} bytes of compressed script, of ${limit} that it may`,
      )
      if (total <= limit) return
      const list = sizes.toSorted((a, b) => b.bytes - a.bytes).map(({ name, bytes }) => `${bytes} ${name}`)
      this.error(
        `The first screen of ${page} loads ${total} bytes of compressed script; it may ${limit}.\n${list.join('\n')}`,
      )
    },
  }
}

function firstScreen(
  chunks: Rollup.OutputChunk[],
  page: string,
  alsoLoads: readonly string[],
): Rollup.OutputChunk[] {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]))
  const wanted = chunks.filter(
    (chunk) =>
      (chunk.isEntry && chunk.name === page) ||
      alsoLoads.some((end) => chunk.facadeModuleId?.endsWith(end) === true),
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
