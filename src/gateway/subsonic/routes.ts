import * as absent from './absent.ts'
import * as annotation from './annotation.ts'
import * as bookmarks from './bookmarks.ts'
import * as browsing from './browsing.ts'
import * as chat from './chat.ts'
import type { Content } from './content.ts'
import { getMusicDirectory } from './directory.ts'
import { download } from './download.ts'
import type { Endpoint } from './endpoint.ts'
import * as indexes from './indexes.ts'
import * as information from './information.ts'
import * as lists from './lists.ts'
import * as lyrics from './lyrics.ts'
import * as pictures from './pictures.ts'
import * as playlists from './playlists.ts'
import * as podcasts from './podcasts.ts'
import * as queue from './queue.ts'
import * as radio from './radio.ts'
import { getScanStatus, startScan } from './scanning.ts'
import { search, search2, search3 } from './search.ts'
import * as shares from './shares.ts'
import { getStarred, getStarred2 } from './starred.ts'
import * as streaming from './streaming.ts'
import * as system from './system.ts'
import { getTranscodeDecision, getTranscodeStream } from './transcoding.ts'
import * as users from './users.ts'

/** What is answered without authentication (law S3). */
export const openAnswers: ReadonlyMap<string, Content> = new Map([
  ['getOpenSubsonicExtensions', { openSubsonicExtensions: system.openSubsonicExtensions }],
])

const { getUser, getUsers, createUser, updateUser, deleteUser, changePassword } = users

/** Everything under `/rest`, by its name. */
export const endpoints: ReadonlyMap<string, Endpoint> = new Map(
  Object.entries({
    // the system
    ping: system.ping,
    getLicense: system.getLicense,
    tokenInfo: system.tokenInfo,
    getScanStatus,
    startScan,
    // browsing and lists
    ...browsing,
    ...indexes,
    getMusicDirectory,
    ...information,
    getAlbumInfo2: information.getAlbumInfo,
    ...lists,
    getStarred,
    getStarred2,
    search,
    search2,
    search3,
    // media
    stream: streaming.stream,
    // The same under a name by which HLS players know a segment: FFmpeg refuses one without an ending.
    'stream.aac': streaming.stream,
    download,
    'hls.m3u8': streaming.hls,
    // Some clients put `.view` where the ending was.
    hls: streaming.hls,
    getTranscodeDecision,
    getTranscodeStream,
    ...pictures,
    ...lyrics,
    // what people say and play
    ...annotation,
    ...playlists,
    ...queue,
    ...bookmarks,
    ...radio,
    ...podcasts,
    ...chat,
    ...shares,
    // accounts
    getUser,
    getUsers,
    createUser,
    updateUser,
    deleteUser,
    changePassword,
    // what there is none of
    getVideos: absent.getVideos,
    getVideoInfo: absent.getVideoInfo,
    getCaptions: absent.getCaptions,
    jukeboxControl: absent.jukeboxControl,
  }),
)
