import { useLayoutEffect, useRef, useState } from 'react'
import { useWords } from '../../i18n/i18n.tsx'

/** What a feed says of itself or of an episode: its first lines, and all of it for whoever wants to read on. */
export function About({ text }: { text: string }) {
  const { say } = useWords()
  const shown = useRef<HTMLParagraphElement>(null)
  const [whole, setWhole] = useState(false)
  const [isLong, setIsLong] = useState(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another text has another height.
  useLayoutEffect(() => {
    const element = shown.current
    if (element !== null && !whole) setIsLong(element.scrollHeight > element.clientHeight + 1)
  }, [text, whole])
  return (
    <div className="about">
      <p ref={shown} dir="auto" className="about-text" data-whole={whole || undefined}>
        {text}
      </p>
      {isLong ? (
        <button type="button" className="about-more" aria-expanded={whole} onClick={() => setWhole(!whole)}>
          {say(whole ? 'readLess' : 'readMore')}
        </button>
      ) : null}
    </div>
  )
}
