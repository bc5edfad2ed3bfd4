import {
  Pause,
  Play,
  Repeat,
  Repeat1,
  RotateCcw,
  RotateCw,
  Shuffle,
  SkipBack,
  SkipForward,
  Volume1,
  Volume2,
  VolumeX,
} from 'lucide-react'
import { IconButton } from '../components/controls.tsx'
import { Slider } from '../components/slider.tsx'
import { useWords } from '../i18n/i18n.tsx'
import { currentEntry, type Repeat as RepeatMode } from '../player/queue.ts'
import { usePlayer, usePlayerState } from './sound.tsx'
import './transport.css'

/** The controls that every view of the player is put together from. */

export function PlayButton({ size = 22 }: { size?: number }) {
  const player = usePlayer()
  const { say } = useWords()
  const status = usePlayerState((state) => state.status)
  const sounds = status === 'playing' || status === 'loading' || status === 'recovering'
  const waits = status === 'loading' || status === 'recovering'
  return (
    <button
      type="button"
      className="play-button"
      data-waits={waits || undefined}
      disabled={status === 'idle'}
      aria-label={say(sounds ? 'pause' : 'play')}
      title={say(sounds ? 'pause' : 'play')}
      onClick={player.toggle}
    >
      {sounds ? (
        <Pause size={size} fill="currentColor" aria-hidden />
      ) : (
        <Play size={size} fill="currentColor" aria-hidden />
      )}
    </button>
  )
}

export function PreviousButton({ size = 20 }: { size?: number }) {
  const player = usePlayer()
  const { say } = useWords()
  const idle = usePlayerState((state) => state.status === 'idle')
  return (
    <IconButton
      icon={SkipBack}
      size={size}
      filled
      label={say('previous')}
      disabled={idle}
      onClick={player.previous}
    />
  )
}

export function NextButton({ size = 20 }: { size?: number }) {
  const player = usePlayer()
  const { say } = useWords()
  const idle = usePlayerState((state) => state.status === 'idle')
  return (
    <IconButton
      icon={SkipForward}
      size={size}
      filled
      label={say('next')}
      disabled={idle}
      onClick={player.next}
    />
  )
}

function ShuffleButton() {
  const player = usePlayer()
  const { say } = useWords()
  const on = usePlayerState((state) => state.queue.shuffled)
  return (
    <IconButton
      icon={Shuffle}
      size={18}
      label={say('shuffle')}
      pressed={on}
      onClick={() => player.setShuffled(!on)}
    />
  )
}

const backMs = 15_000
const forwardMs = 30_000

/** What stands beside the main buttons: the order of songs, steps within an episode, nothing of a station. */
export function SideButton({ side }: { side: 'start' | 'end' }) {
  const player = usePlayer()
  const { say } = useWords()
  const kind = usePlayerState((state) => currentEntry(state.queue)?.track.kind)
  const isEpisode = kind === 'episode'
  const step = (ms: number) => player.seek(player.state.get().positionMs + ms)
  if (kind === 'station') return <span className="icon-button" aria-hidden />
  if (side === 'start') {
    if (!isEpisode) return <ShuffleButton />
    return (
      <IconButton
        icon={RotateCcw}
        size={18}
        label={say('backSeconds', { count: backMs / 1_000 })}
        onClick={() => step(-backMs)}
      />
    )
  }
  if (!isEpisode) return <RepeatButton />
  return (
    <IconButton
      icon={RotateCw}
      size={18}
      label={say('forwardSeconds', { count: forwardMs / 1_000 })}
      onClick={() => step(forwardMs)}
    />
  )
}

const afterRepeat: Record<RepeatMode, RepeatMode> = { off: 'all', all: 'one', one: 'off' }

function RepeatButton() {
  const player = usePlayer()
  const { say } = useWords()
  const mode = usePlayerState((state) => state.queue.repeat)
  const words = { off: 'repeatOff', all: 'repeatAll', one: 'repeatOne' } as const
  return (
    <IconButton
      icon={mode === 'one' ? Repeat1 : Repeat}
      size={18}
      label={say(words[mode])}
      pressed={mode !== 'off'}
      onClick={() => player.setRepeat(afterRepeat[mode])}
    />
  )
}

const seekStepMs = 5_000

export function SeekBar() {
  const player = usePlayer()
  const { say, format } = useWords()
  const positionMs = usePlayerState((state) => state.positionMs)
  const durationMs = usePlayerState((state) => state.durationMs)
  const bufferedMs = usePlayerState((state) => state.bufferedMs)
  const isLive = usePlayerState((state) => currentEntry(state.queue)?.track.kind === 'station')
  return (
    <div className="seek">
      <span className="seek-time">{format.clock(positionMs)}</span>
      <Slider
        label={say('position')}
        value={positionMs}
        max={durationMs}
        step={seekStepMs}
        bigStep={30_000}
        buffered={bufferedMs}
        disabled={durationMs <= 0}
        valueText={(value) =>
          say('positionOf', { position: format.clock(value), duration: format.clock(durationMs) })
        }
        onChange={player.seek}
      />
      <span className="seek-time">{isLive ? say('live') : format.clock(durationMs)}</span>
    </div>
  )
}

export function VolumeControl() {
  const player = usePlayer()
  const { say, format } = useWords()
  const volume = usePlayerState((state) => state.volume)
  const muted = usePlayerState((state) => state.muted)
  const shown = muted ? 0 : volume
  const icon = shown === 0 ? VolumeX : shown < 0.5 ? Volume1 : Volume2
  return (
    <div className="volume">
      <IconButton
        icon={icon}
        size={19}
        label={say(muted ? 'unmute' : 'mute')}
        pressed={muted}
        onClick={() => player.setMuted(!muted)}
      />
      <Slider
        label={say('volume')}
        value={shown}
        max={1}
        step={0.05}
        live
        valueText={(value) => format.percent(value, 1)}
        onChange={player.setVolume}
      />
    </div>
  )
}

/** What a person must know when sound does not come; nothing while all is well. */
export function PlayerTrouble() {
  const player = usePlayer()
  const { say } = useWords()
  const status = usePlayerState((state) => state.status)
  const failure = usePlayerState((state) => state.failure)
  if (status === 'recovering') return <p className="trouble">{say('recovering')}</p>
  if (failure === undefined) return null
  const words = {
    unreachable: 'failureUnreachable',
    signedOut: 'failureSignedOut',
    blocked: 'failureBlocked',
    gone: 'failureGone',
    unplayable: 'failureUnplayable',
  } as const
  const isStation = failure.track.kind === 'station' && failure.kind === 'unplayable'
  const word = isStation ? 'failureStation' : words[failure.kind]
  return (
    <p className="trouble">
      {say(word, { title: failure.track.title })}{' '}
      {failure.kind === 'unreachable' ? (
        <button type="button" onClick={player.retry}>
          {say('tryAgain')}
        </button>
      ) : null}
    </p>
  )
}
