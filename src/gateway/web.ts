import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, extname, join, relative, sep } from 'node:path'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { CodedError } from '../protocol/errors.ts'
import type { Api } from './api.ts'
import { type OtherGateways, withGateways } from './roaming.ts'
import { playerPolicy, sharePolicy } from './security.ts'

/** One file of the built player, whole, and in the encodings that the build has made of it. */
interface Asset {
  readonly path: string
  readonly etag: string
  readonly encodings: readonly ('br' | 'gzip')[]
}

type Assets = ReadonlyMap<string, Asset>

const mediaTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
}

const suffixes = { br: '.br', gzip: '.gz' } as const

/**
 * Serves the built player. Its files are listed once for each time that it was built, and only what is in that list is
 * ever opened, so no path leads out of the folder. Paths that name no file are pages of the player, which finds its way
 * itself; `/share/<token>` is a page of its own, since it must hold nothing of the pages inside.
 */
export function webRoutes(app: Api, folder: string, others: OtherGateways): void {
  const assetsNow = createListing(folder)

  app.get('/*', { schema: { params: z.object({ '*': z.string() }) } }, async (request, reply) => {
    const path = request.params['*']
    if (/^(?:api|rest)(?:\/|$)/.test(path)) return reply.callNotFound()
    const assets = await assetsNow()
    const page = assets.get('index.html')
    if (page === undefined) return answerUnbuilt(request, reply)
    const asset = assets.get(path)
    if (asset === undefined && extname(path) !== '') throw new CodedError('NOT_FOUND', 'no such file')
    const share = path.startsWith('share/') ? assets.get('share.html') : undefined
    return sendAsset(request, reply, asset ?? share ?? page, others).catch((cause) => {
      // It is being built again.
      throw new CodedError('NOT_FOUND', 'no such file', { cause })
    })
  })
}

/** The files as they are listed; listed anew where the player has been built again since, which may take a while. */
function createListing(folder: string): () => Promise<Assets> {
  let listed: { readonly mark: string; readonly assets: Promise<Assets> } | undefined
  return async () => {
    const mark = await markOf(folder)
    if (listed?.mark !== mark) listed = { mark, assets: listAssets(folder) }
    return await listed.assets
  }
}

/** Differs after each build: a page is written in place, and every other file comes to a folder or goes from it. */
async function markOf(folder: string): Promise<string> {
  const looked = ['', 'assets', 'index.html'].map((name) =>
    stat(join(folder, name), { bigint: true }).catch(() => null),
  )
  return (await Promise.all(looked)).map((found) => `${found?.ino} ${found?.mtimeNs}`).join('\n')
}

async function listAssets(folder: string): Promise<Assets> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const known = new Set(paths)
  const assets = new Map<string, Asset>()
  for (const path of paths) {
    if (/\.(?:br|gz)$/.test(path)) continue
    const encodings = (['br', 'gzip'] as const).filter((encoding) => known.has(path + suffixes[encoding]))
    const hash = createHash('sha256')
      .update(await readFile(path))
      .digest('base64url')
      .slice(0, 22)
    assets.set(relative(folder, path).split(sep).join('/'), { path, etag: `W/"${hash}"`, encodings })
  }
  return assets
}

async function sendAsset(
  request: FastifyRequest,
  reply: FastifyReply,
  asset: Asset,
  others: OtherGateways,
): Promise<FastifyReply> {
  const type = mediaTypes[extname(asset.path)] ?? 'application/octet-stream'
  const hashed = asset.path.split(sep).includes('assets')
  reply
    .type(type)
    .header('etag', asset.etag)
    .header('vary', 'accept-encoding')
    .header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache')
  if (basename(asset.path) === 'share.html') {
    reply.header('content-security-policy', sharePolicy).header('x-robots-tag', 'noindex, nofollow')
  } else if (type.startsWith('text/html')) {
    reply.header('content-security-policy', withGateways(playerPolicy, others()))
  }
  if (request.headers['if-none-match']?.includes(asset.etag)) return reply.code(304).send()
  const accepted = request.headers['accept-encoding'] ?? ''
  const encoding = asset.encodings.find((name) =>
    new RegExp(`\\b${name}\\b(?!\\s*;\\s*q=0(?:\\.0*)?\\s*(?:,|$))`).test(accepted),
  )
  if (encoding === undefined) return reply.send(await readFile(asset.path))
  return reply.header('content-encoding', encoding).send(await readFile(asset.path + suffixes[encoding]))
}

function answerUnbuilt(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!request.headers.accept?.includes('text/html')) throw new CodedError('PLAYER_NOT_BUILT')
  return reply.code(503).type('text/html; charset=utf-8').send(unbuiltPage)
}

const unbuiltPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Hocket</title>
<h1>The web player has not been built</h1>
<p>The server runs. Start it with <code>npm start</code>, which builds the player, or run <code>npm run build</code>; then load this page again.</p>
</html>
`
