import assert from 'node:assert/strict'
import { test } from 'node:test'
import SubsonicAPI from 'subsonic-api'
import { password } from '../../testing/gateway.ts'
import { world } from './shared.ts'

/** A client that nobody here wrote, in each of the ways in which it can sign in and send. */
function clients(): SubsonicAPI[] {
  const { url } = world.edge
  const { name, secret } = world.guest
  return [
    new SubsonicAPI({ url, auth: { username: name, password: secret } }),
    new SubsonicAPI({ url, auth: { apiKey: secret }, post: true }),
  ]
}

test("npm's subsonic-api signs in, browses, searches, plays, stars, and keeps playlists and the queue", async () => {
  for (const api of clients()) {
    assert.equal((await api.ping()).status, 'ok')
    const { artists } = await api.getArtists()
    const found = artists.index?.flatMap(({ artist }) => artist ?? []).find(({ name }) => name === 'The Ana')
    assert.ok(found)
    const { artist } = await api.getArtist({ id: found.id })
    const [album] = artist.album ?? []
    assert.equal(album?.name, 'First')
    const { album: whole } = await api.getAlbum({ id: album.id })
    const ids = whole.song?.map(({ id }) => id) ?? []
    assert.equal(ids.length, 2)

    const { searchResult3 } = await api.search3({ query: 'three' })
    assert.equal(searchResult3.song?.[0]?.title, 'Three')
    const [id = ''] = ids
    const stream = await api.stream({ id })
    assert.equal(stream.headers.get('content-type'), 'audio/flac')
    assert.ok((await stream.arrayBuffer()).byteLength > 1_000)
    const cover = await api.getCoverArt({ id })
    assert.match(cover.headers.get('content-type') ?? '', /^image\//)
    await cover.body?.cancel()

    await api.star({ id })
    assert.equal((await api.getStarred2()).starred2.song?.[0]?.id, id)
    await api.unstar({ id })
    assert.deepEqual((await api.getStarred2()).starred2.song, [])
    await api.scrobble({ id })

    const { playlist } = await api.createPlaylist({ name: 'Evening', songId: ids })
    assert.equal((await api.getPlaylist({ id: playlist.id })).playlist.entry?.length, 2)
    await api.updatePlaylist({ playlistId: playlist.id, songIndexToRemove: [0] })
    assert.equal((await api.getPlaylist({ id: playlist.id })).playlist.entry?.length, 1)
    await api.deletePlaylist({ id: playlist.id })

    await api.savePlayQueue({ id: ids, current: id, position: 1_500 })
    const { playQueue } = await api.getPlayQueue()
    assert.deepEqual([playQueue?.current, playQueue?.position, playQueue?.entry?.length], [id, 1_500, 2])
  }
})

test('[S2] it gets nowhere with the password for signing in', async () => {
  const { url } = world.edge
  const api = new SubsonicAPI({ url, auth: { username: 'guest', password } })
  const answer = await api.ping()
  assert.equal(answer.status === 'failed' && answer.error.code, 40)
})
