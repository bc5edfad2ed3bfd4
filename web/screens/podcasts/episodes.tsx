import { useInfiniteQuery } from '@tanstack/react-query'
import { CircleStop, CloudDownload, MoreHorizontal, Pause, Play, Podcast, Trash2 } from 'lucide-react'
import type { EpisodeSummary, PodcastSummary } from '../../../src/protocol/api/podcasts.ts'
import { useAccount } from '../../app/account.ts'
import { useTrackActions, useTrackMenu } from '../../app/actions.tsx'
import { useServices } from '../../app/services.tsx'
import { usePlayerState } from '../../app/sound.tsx'
import { Button, IconButton, RoundPlay } from '../../components/controls.tsx'
import { Cover } from '../../components/cover.tsx'
import { type MenuItem, useMenu } from '../../components/menu.tsx'
import { Bones, EmptyState, Loaded } from '../../components/states.tsx'
import { SourceLink } from '../../components/track-row.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import { type Playable, playableOf } from '../../player/playable.ts'
import { currentEntry } from '../../player/queue.ts'
import { About } from './about.tsx'
import { useKeeping } from './keeping.ts'

const atOnce = 30

/** Episodes of a podcast, or of all: the newest first, and more as they are wanted. */
export function Episodes({ podcast }: { podcast?: PodcastSummary }) {
  const { api, places } = useServices()
  const { say } = useWords()
  const keeps = useAccount()?.role === 'administrator'
  const query = podcast === undefined ? {} : { podcast: podcast.id }
  const episodes = useInfiniteQuery({
    queryKey: ['podcasts', 'episodes', podcast?.id],
    queryFn: async ({ pageParam, signal }) => {
      const part = await api.episodes({ ...query, offset: pageParam, limit: atOnce }, signal)
      places.learn(part.items)
      return part
    },
    initialPageParam: 0,
    getNextPageParam: ({ total }, pages) =>
      pages.length * atOnce < total ? pages.length * atOnce : undefined,
    // Another device may have gone on.
    staleTime: 0,
  })
  return (
    <Loaded query={episodes} bones={<Bones shape="row" count={6} />}>
      {({ pages }) => {
        const items = pages.flatMap((page) => page.items)
        if (items.length === 0) {
          const isRead = podcast?.checkedAt !== undefined
          const text = say(isRead ? 'noEpisodesInFeed' : 'noEpisodesText')
          return <EmptyState icon={Podcast} title={say('noEpisodesTitle')} text={text} />
        }
        const lacks = !keeps && items.some(({ audio }) => audio === undefined)
        return (
          <>
            {lacks ? <p className="podcast-note">{say('episodeAskAdministrator')}</p> : null}
            <ol className="episodes" aria-label={say('episodes')}>
              {items.map((episode) => (
                <li key={episode.id} className="episode">
                  <EpisodeRow episode={episode} isOfAny={podcast === undefined} />
                </li>
              ))}
            </ol>
            {episodes.hasNextPage ? (
              <Button busy={episodes.isFetchingNextPage} onClick={() => void episodes.fetchNextPage()}>
                {say('showMore')}
              </Button>
            ) : null}
          </>
        )
      }}
    </Loaded>
  )
}

/** `isOfAny`: it stands among episodes of others, and says which podcast it is of. */
function EpisodeRow({ episode, isOfAny }: { episode: EpisodeSummary; isOfAny: boolean }) {
  const playable = playableOf(episode)
  const sounds = usePlayerState((state) => currentEntry(state.queue)?.track.id === episode.id)
  const { id, title, cover, podcast, description } = episode
  return (
    <>
      {isOfAny ? (
        <Cover of={{ kind: 'episode', id, version: cover }} size={64} className="episode-cover" />
      ) : null}
      <div className="episode-text">
        <h3 dir="auto" className={sounds ? 'episode-sounds' : undefined}>
          {title}
        </h3>
        <p className="fine">
          {isOfAny ? (
            <>
              <PodcastLink podcast={podcast} />
              {' · '}
            </>
          ) : null}
          <Facts episode={episode} />
        </p>
        <State episode={episode} />
        {description === undefined || isOfAny ? null : <About text={description} />}
      </div>
      <div className="episode-tools">
        {playable === undefined ? <FetchButton episode={episode} /> : <PlayEpisode track={playable} />}
        <EpisodeMenu episode={episode} playable={playable} />
      </div>
    </>
  )
}

function PodcastLink({ podcast }: { podcast: EpisodeSummary['podcast'] }) {
  return (
    <SourceLink
      of={{ kind: 'episode', album: { id: podcast.id, name: podcast.title } }}
      className="episode-of"
    >
      {podcast.title}
    </SourceLink>
  )
}

function Facts({ episode }: { episode: EpisodeSummary }) {
  const { places } = useServices()
  const { say, format } = useWords()
  const keeps = useAccount()?.role === 'administrator'
  const { id, publishedAt, durationMs, size, state } = episode
  const placeMs = places.of({ kind: 'episode', id })
  const left = durationMs === undefined || placeMs === 0 ? undefined : durationMs - placeMs
  return [
    format.date(publishedAt),
    durationMs === undefined || durationMs === 0 ? undefined : format.duration(durationMs),
    left === undefined || left <= 0 ? undefined : say('timeLeft', { duration: format.duration(left) }),
    // What a download would take; for everyone else, that there is none.
    state === 'downloaded' || !keeps || size === undefined || size < 1_000 ? undefined : format.bytes(size),
    state === 'remote' && !keeps ? say('episodeNotHere') : undefined,
  ]
    .filter((fact) => fact !== undefined)
    .map((fact) => fact.replaceAll(' ', '\u00a0'))
    .join(' · ')
}

/** Why it does not play, where it does not. */
function State({ episode }: { episode: EpisodeSummary }) {
  const words = useWords()
  const { say } = words
  const { state, trouble } = episode
  const what = trouble && words.problem({ type: 'about:blank', status: 500, ...trouble }).title
  if (state === 'downloading') return <p className="episode-state">{what ?? say('episodeDownloading')}</p>
  if (state === 'failed') {
    return (
      <p className="episode-state episode-failed">
        {[say('episodeFailed'), what].filter(Boolean).join(': ')}
      </p>
    )
  }
  return null
}

function PlayEpisode({ track }: { track: Playable }) {
  const { places, player } = useServices()
  const actions = useTrackActions()
  const { say } = useWords()
  const sounds = usePlayerState((state) => currentEntry(state.queue)?.track.id === track.id)
  const playing = usePlayerState(
    (state) => sounds && (state.status === 'playing' || state.status === 'loading'),
  )
  const name = track.title
  const label = playing ? 'pauseNamed' : places.of(track) > 0 ? 'resumeNamed' : 'playNamed'
  return (
    <RoundPlay
      icon={playing ? Pause : Play}
      label={say(label, { name })}
      onClick={() => (sounds ? player.toggle() : void actions.play([track]))}
    />
  )
}

/** Has it downloaded, or no longer; for administrators, who keep podcasts. */
function FetchButton({ episode }: { episode: EpisodeSummary }) {
  const { api } = useServices()
  const keep = useKeeping()
  const { say } = useWords()
  const { id, title: name, state } = episode
  if (useAccount()?.role !== 'administrator') return null
  return state === 'downloading' ? (
    <IconButton
      icon={CircleStop}
      label={say('stopDownloadNamed', { name })}
      className="episode-waits"
      onClick={() => void keep(() => api.removeDownload(id))}
    />
  ) : (
    <IconButton
      icon={CloudDownload}
      label={say('downloadNamed', { name })}
      onClick={() => void keep(() => api.downloadEpisode(id))}
    />
  )
}

function EpisodeMenu({ episode, playable }: { episode: EpisodeSummary; playable: Playable | undefined }) {
  const { api } = useServices()
  const keep = useKeeping()
  const trackMenu = useTrackMenu()
  const showMenu = useMenu()
  const { say } = useWords()
  const keeps = useAccount()?.role === 'administrator'
  if (playable === undefined) return null
  const removal: MenuItem[] = keeps
    ? [
        {
          label: say('removeDownload'),
          icon: Trash2,
          danger: true,
          run: () => void keep(() => api.removeDownload(episode.id)),
        },
      ]
    : []
  const label = say('menuNamed', { name: episode.title })
  return (
    <IconButton
      icon={MoreHorizontal}
      label={label}
      onClick={(event) => showMenu({ items: trackMenu(playable, removal), label, from: event.currentTarget })}
    />
  )
}
