import { currentEntry } from './queue.ts'
import type { Player } from './state.ts'

/** Connects the player with the keys, lock screens and headsets of the system. `address`: where a path is to be had. */
export function connectMediaSession(
  player: Player,
  session: MediaSession,
  address: (path: string) => string,
): () => void {
  const on = (action: MediaSessionAction, handler: MediaSessionActionHandler) => {
    try {
      session.setActionHandler(action, handler)
    } catch {
      // The browser does not know this action.
    }
  }
  const step = (ms: number) => player.seek(player.state.get().positionMs + ms)
  on('play', () => player.play())
  on('pause', () => player.pause())
  on('stop', () => player.pause())
  on('nexttrack', () => player.next())
  on('previoustrack', () => player.previous())
  on('seekto', (details) => {
    if (details.seekTime !== undefined && details.seekTime !== null) player.seek(details.seekTime * 1000)
  })
  on('seekbackward', (details) => step((details.seekOffset ?? 10) * -1000))
  on('seekforward', (details) => step((details.seekOffset ?? 10) * 1000))

  return player.state.subscribe((now, before) => {
    const track = currentEntry(now.queue)?.track
    if (track !== currentEntry(before.queue)?.track) {
      session.metadata =
        track === undefined
          ? null
          : new MediaMetadata({
              title: track.title,
              artist: track.artist,
              album: track.album.name,
              artwork: [256, 512].map((size) => ({
                src: address(
                  `/api/covers/${track.kind ?? 'track'}/${track.id}?size=${size}&v=${encodeURIComponent(track.cover)}`,
                ),
                sizes: `${size}x${size}`,
              })),
            })
    }
    if (now.status !== before.status) session.playbackState = playbackState(now.status)
    const jumped = Math.abs(now.positionMs - before.positionMs) > 1_500
    if (jumped || now.status !== before.status || now.durationMs !== before.durationMs)
      setPosition(player, session)
  })
}

function playbackState(status: string): MediaSessionPlaybackState {
  if (status === 'idle') return 'none'
  return status === 'paused' || status === 'failed' ? 'paused' : 'playing'
}

function setPosition(player: Player, session: MediaSession) {
  const { durationMs, positionMs } = player.state.get()
  if (durationMs <= 0) return session.setPositionState?.()
  session.setPositionState?.({
    duration: durationMs / 1000,
    position: Math.min(positionMs, durationMs) / 1000,
  })
}
