import assert from 'node:assert/strict'
import { z } from 'zod'
import type { Client, Query } from './client.ts'
import { openPodcast } from './podcast.ts'
import type { SubsonicWorld } from './world.ts'

export interface Request {
  readonly endpoint: string
  readonly query?: Query
  /** The code of the failure that is the right answer. */
  readonly fails?: number
  /** Changes something, so that it is not asked twice. */
  readonly once?: boolean
  readonly as?: Client
  /** What it says depends on the moment. */
  readonly varies?: boolean
}

const found = z.object({
  artist: z.array(z.object({ id: z.string(), name: z.string() })),
  album: z.array(z.object({ id: z.string(), name: z.string() })),
  song: z.array(z.object({ id: z.string(), title: z.string(), parent: z.string() })),
})

/** What the clients know of the music: everything, in the order in which it came. */
export async function everything(client: Client): Promise<z.infer<typeof found>> {
  const answer = await client.ask('search3', {
    query: '""',
    artistCount: 500,
    albumCount: 500,
    songCount: 500,
  })
  return found.parse(answer['searchResult3'])
}

/** Every endpoint that answers in an envelope, each at least once, as people use it. */
export async function requestsOf({
  guest,
  administrator,
  outside,
}: SubsonicWorld): Promise<readonly Request[]> {
  const { artist, album, song } = await everything(guest)
  const named = <Item>(items: readonly Item[], name: string): Item => {
    const item = items.find((each) => JSON.stringify(each).includes(name))
    assert.ok(item, name)
    return item
  }
  const ana = named(artist, '"The Ana"').id
  const first = named(album, 'First').id
  const [one, two, four] = ['One &', 'Two', 'Four'].map((name) => named(song, name).id)
  assert.ok(one && two && four)
  const made = z
    .object({ id: z.string() })
    .parse(
      (await guest.ask('createPlaylist', { name: 'Made <before>', songId: [one, two, one] }))['playlist'],
    )
  const shared = z.object({ share: z.tuple([z.object({ id: z.string() })]) }).parse(
    (
      await guest.ask('createShare', {
        id: [first, made.id, four],
        description: 'For <you> & me',
        expires: 4_000_000_000_000,
      })
    )['shares'],
  ).share[0].id
  const podcast = await openPodcast(administrator, `${outside.url}/feed.xml`)
  const types = ['random', 'newest', 'highest', 'frequent', 'recent', 'alphabeticalByName']
  const lists: Query[] = [
    ...[...types, 'alphabeticalByArtist', 'starred'].map((type) => ({ type })),
    { type: 'byYear', fromYear: 1990, toYear: 2010 },
    { type: 'byYear', fromYear: 2010, toYear: 1990 },
    { type: 'byGenre', genre: 'Rock' },
  ]
  const nothing = '11111111-1111-4111-8111-111111111111'
  return [
    { endpoint: 'ping' },
    { endpoint: 'getLicense' },
    { endpoint: 'getOpenSubsonicExtensions' },
    { endpoint: 'tokenInfo' },
    { endpoint: 'star', query: { id: [one, first], albumId: first, artistId: ana }, once: true },
    { endpoint: 'setRating', query: { id: one, rating: 4 }, once: true },
    { endpoint: 'setRating', query: { id: first, rating: 5 }, once: true },
    {
      endpoint: 'scrobble',
      query: { id: [one, two], time: [1_700_000_000_000, 1_700_000_100_000] },
      once: true,
    },
    { endpoint: 'scrobble', query: { id: two, submission: false }, once: true },
    { endpoint: 'getMusicFolders' },
    { endpoint: 'getIndexes' },
    { endpoint: 'getArtists' },
    { endpoint: 'getMusicDirectory', query: { id: ana } },
    { endpoint: 'getMusicDirectory', query: { id: first } },
    { endpoint: 'getGenres' },
    { endpoint: 'getArtist', query: { id: ana } },
    { endpoint: 'getAlbum', query: { id: first } },
    { endpoint: 'getSong', query: { id: one } },
    { endpoint: 'getArtistInfo', query: { id: ana } },
    { endpoint: 'getArtistInfo2', query: { id: ana } },
    { endpoint: 'getAlbumInfo', query: { id: first } },
    { endpoint: 'getAlbumInfo2', query: { id: first } },
    { endpoint: 'getSimilarSongs', query: { id: one } },
    { endpoint: 'getSimilarSongs2', query: { id: ana } },
    { endpoint: 'getTopSongs', query: { artist: 'The Ana' } },
    { endpoint: 'getTopSongs', query: { id: ana, count: 1 } },
    ...lists.flatMap((query) => [
      { endpoint: 'getAlbumList', query, once: query['type'] === 'random' },
      { endpoint: 'getAlbumList2', query, once: query['type'] === 'random' },
    ]),
    { endpoint: 'getRandomSongs', query: { size: 500 }, once: true },
    { endpoint: 'getSongsByGenre', query: { genre: 'Rock' } },
    { endpoint: 'getNowPlaying', once: true },
    { endpoint: 'getStarred' },
    { endpoint: 'getStarred2' },
    { endpoint: 'search', query: { any: 'One' } },
    { endpoint: 'search2', query: { query: 'One' } },
    { endpoint: 'search3', query: { query: '' } },
    { endpoint: 'getPlaylists' },
    { endpoint: 'getPlaylist', query: { id: made.id } },
    { endpoint: 'createPlaylist', query: { playlistId: made.id, songId: [two, one] }, once: true },
    {
      endpoint: 'updatePlaylist',
      query: {
        playlistId: made.id,
        name: 'Other',
        comment: 'A & b',
        public: true,
        songIndexToRemove: 0,
        songIdToAdd: four,
      },
      once: true,
    },
    { endpoint: 'getPlaylist', query: { id: made.id }, as: administrator },
    { endpoint: 'deletePlaylist', query: { id: made.id }, once: true },
    { endpoint: 'getPlayQueue' },
    { endpoint: 'getPlayQueueByIndex' },
    { endpoint: 'savePlayQueue', query: { id: [one, two], current: two, position: 500 }, once: true },
    { endpoint: 'getPlayQueue' },
    {
      endpoint: 'savePlayQueueByIndex',
      query: { id: [one, two, one], currentIndex: 2, position: 700 },
      once: true,
    },
    { endpoint: 'getPlayQueueByIndex' },
    { endpoint: 'getLyrics', query: { artist: 'The Ana & "Bob" <Band>', title: 'Two' } },
    { endpoint: 'getLyricsBySongId', query: { id: two } },
    { endpoint: 'getLyricsBySongId', query: { id: two, enhanced: true } },
    {
      endpoint: 'reportPlayback',
      query: { mediaId: two, mediaType: 'song', positionMs: 100, state: 'playing' },
      once: true,
    },
    { endpoint: 'unstar', query: { id: one }, once: true },
    { endpoint: 'getUser', query: { username: 'guest' } },
    { endpoint: 'getUsers', as: administrator },
    {
      endpoint: 'createUser',
      query: { username: 'nina', password: 'enc:61626364656667686970', email: 'n@example.org' },
      as: administrator,
      once: true,
    },
    { endpoint: 'updateUser', query: { username: 'nina', adminRole: true }, as: administrator, once: true },
    {
      endpoint: 'changePassword',
      query: { username: 'nina', password: 'another one' },
      as: administrator,
      once: true,
    },
    { endpoint: 'deleteUser', query: { username: 'nina' }, as: administrator, once: true },
    { endpoint: 'getScanStatus' },
    { endpoint: 'startScan', as: administrator, once: true, varies: true },
    { endpoint: 'createBookmark', query: { id: two, position: 4_000, comment: 'Go on' }, once: true },
    { endpoint: 'getBookmarks' },
    { endpoint: 'deleteBookmark', query: { id: two }, once: true },
    {
      endpoint: 'createInternetRadioStation',
      query: {
        name: 'A & b',
        streamUrl: 'https://radio.example/a?b=1&c',
        homepageUrl: 'https://radio.example',
      },
      as: administrator,
      once: true,
    },
    { endpoint: 'getInternetRadioStations' },
    {
      endpoint: 'updateInternetRadioStation',
      query: { id: nothing, name: 'x', streamUrl: 'http://x' },
      as: administrator,
      fails: 70,
    },
    { endpoint: 'deleteInternetRadioStation', query: { id: nothing }, as: administrator, fails: 70 },
    { endpoint: 'addChatMessage', query: { message: 'Hello <all>' }, once: true },
    { endpoint: 'getChatMessages' },
    { endpoint: 'getShares' },
    {
      endpoint: 'updateShare',
      query: { id: shared, description: '', expires: 0 },
      as: administrator,
      fails: 50,
    },
    { endpoint: 'updateShare', query: { id: shared, description: '', expires: 0 }, once: true },
    { endpoint: 'getShares' },
    { endpoint: 'getShares', as: administrator },
    { endpoint: 'deleteShare', query: { id: shared }, as: administrator, fails: 50 },
    { endpoint: 'deleteShare', query: { id: shared }, once: true },
    { endpoint: 'createShare', query: { id: one }, once: true },
    { endpoint: 'createShare', fails: 10 },
    { endpoint: 'createShare', query: { id: one, expires: 'soon' }, fails: 10 },
    { endpoint: 'createShare', query: { id: [one, nothing] }, fails: 70 },
    { endpoint: 'createShare', query: { id: ana }, once: true },
    { endpoint: 'updateShare', fails: 10 },
    { endpoint: 'deleteShare', query: { id: '0'.repeat(32) }, fails: 70 },
    { endpoint: 'getVideos' },
    { endpoint: 'getPodcasts' },
    { endpoint: 'getPodcasts', query: { id: podcast.id, includeEpisodes: false } },
    { endpoint: 'getPodcasts', query: { id: nothing }, fails: 70 },
    { endpoint: 'getNewestPodcasts', query: { count: 2 } },
    { endpoint: 'getPodcastEpisode', query: { id: podcast.first } },
    { endpoint: 'createPodcastChannel', as: administrator, fails: 10 },
    ...['ftp://example.org/', 'https://ada:secret@example.org/', 'a feed', ''].map((url) => ({
      endpoint: 'createPodcastChannel',
      query: { url },
      as: administrator,
      fails: 10,
    })),
    {
      endpoint: 'createPodcastChannel',
      query: { url: `${outside.url}/feed.xml` },
      as: administrator,
      once: true,
    },
    { endpoint: 'refreshPodcasts', as: administrator, once: true },
    ...['deletePodcastChannel', 'deletePodcastEpisode', 'downloadPodcastEpisode'].map((endpoint) => ({
      endpoint,
      query: { id: nothing },
      as: administrator,
      fails: 70,
    })),
    { endpoint: 'deletePodcastEpisode', query: { id: podcast.second }, as: administrator, once: true },
    { endpoint: 'getPodcastEpisode', query: { id: podcast.second } },
    { endpoint: 'downloadPodcastEpisode', query: { id: podcast.first }, as: administrator, once: true },
    { endpoint: 'scrobble', query: { id: podcast.first }, once: true },
    { endpoint: 'deletePodcastChannel', query: { id: podcast.id }, as: administrator, once: true },
    { endpoint: 'getPodcasts', query: { id: podcast.id }, fails: 70 },
    // What there is none of, or not for the guest.
    { endpoint: 'getVideoInfo', query: { id: one }, fails: 70 },
    { endpoint: 'getCaptions', query: { id: one }, fails: 70 },
    { endpoint: 'getPodcastEpisode', query: { id: one }, fails: 70 },
    { endpoint: 'jukeboxControl', query: { action: 'status' }, fails: 50 },
    { endpoint: 'refreshPodcasts', fails: 50 },
    { endpoint: 'createPodcastChannel', query: { url: 'http://example.org/' }, fails: 50 },
    { endpoint: 'deletePodcastChannel', query: { id: one }, fails: 50 },
    { endpoint: 'deletePodcastEpisode', query: { id: one }, fails: 50 },
    { endpoint: 'downloadPodcastEpisode', query: { id: one }, fails: 50 },
    ...[
      'getArtist',
      'getAlbum',
      'getSong',
      'getMusicDirectory',
      'getPlaylist',
      'star',
      'scrobble',
      'stream',
      'stream.aac',
      'download',
      'getCoverArt',
      'hls.m3u8',
      'hls',
      'getSimilarSongs',
      'getArtistInfo2',
      'getAlbumInfo2',
      'getLyricsBySongId',
      'createShare',
      'updateShare',
      'deleteShare',
    ].map((endpoint) => ({ endpoint, query: { id: nothing }, fails: 70 })),
    { endpoint: 'getTranscodeDecision', query: { mediaId: nothing, mediaType: 'song' }, fails: 70 },
    {
      endpoint: 'getTranscodeStream',
      query: { mediaId: nothing, mediaType: 'song', transcodeParams: 'mp3-128' },
      fails: 70,
    },
    { endpoint: 'getAvatar', query: { username: 'nobody' }, fails: 70 },
  ]
}
