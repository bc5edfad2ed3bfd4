import { useEffect, useRef } from 'react'
import type { Lyrics } from '../../../src/protocol/api/catalog.ts'
import { usePlayer, usePlayerState } from '../../app/sound.tsx'
import { useWords } from '../../i18n/i18n.tsx'

type Sheet = Lyrics['items'][number]

/** The words of a track. Synchronised ones follow the sound, and a click on a line goes there. */
export function LyricsView({ sheet }: { sheet: Sheet }) {
  const { say } = useWords()
  const player = usePlayer()
  const box = useRef<HTMLElement>(null)
  const now = usePlayerState((state) => (sheet.synced ? lineAt(sheet, state.positionMs) : -1))

  useEffect(() => {
    const list = box.current
    const line = list?.querySelector<HTMLElement>(`[data-line="${now}"]`)
    if (list === null || list === undefined || line === null || line === undefined) return
    list.scrollTo({ top: line.offsetTop - list.clientHeight / 2 + line.clientHeight / 2, behavior: 'smooth' })
  }, [now])

  return (
    <section
      ref={box}
      className="lyrics"
      aria-label={say('lyrics')}
      lang={sheet.language || undefined}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
      tabIndex={0}
    >
      {sheet.lines.map((line, index) => {
        const { atMs } = line
        const key = `${index}`
        if (atMs === undefined || !sheet.synced) return <p key={key}>{line.text || ' '}</p>
        return (
          <button
            key={key}
            type="button"
            data-line={index}
            aria-current={index === now || undefined}
            onClick={() => player.seek(atMs)}
          >
            {index === now && line.words !== undefined ? (
              <Words text={line.text} words={line.words} />
            ) : (
              line.text || '♪'
            )}
          </button>
        )
      })}
    </section>
  )
}

type Word = NonNullable<Sheet['lines'][number]['words']>[number]

/** The line that is sung: what has not come yet is pale. */
function Words({ text, words }: { text: string; words: readonly Word[] }) {
  const come = usePlayerState(
    (state) => words.findLast(({ atMs }) => atMs <= state.positionMs + 150)?.to ?? 0,
  )
  return (
    <>
      {text.slice(0, come)}
      <span className="lyrics-to-come">{text.slice(come)}</span>
    </>
  )
}

function lineAt(sheet: Sheet, positionMs: number): number {
  return sheet.lines.findLastIndex((line) => line.atMs !== undefined && line.atMs <= positionMs + 150)
}
