import { type ReactNode, useEffect } from 'react'
import { usePlayerState } from '../app/sound.tsx'
import { soundingTitle } from '../player/state.ts'
import './page.css'

/** A screen: its title in the document and on the page, what it offers to do, and the thing itself. */
export function Page({
  title,
  part,
  tools,
  note,
  children,
  hideTitle = false,
}: {
  title: string
  /** Which part of the screen is shown: it stands before its title in the browser's tab. */
  part?: string | undefined
  tools?: ReactNode
  note?: ReactNode
  children: ReactNode
  hideTitle?: boolean
}) {
  useTitle(part === undefined ? title : `${part} · ${title}`)
  return (
    <div className="page">
      <header className={hideTitle ? 'visually-hidden' : 'page-header'}>
        <div>
          <h1 tabIndex={-1}>{title}</h1>
          {note === undefined ? null : <p className="page-note">{note}</p>}
        </div>
        {tools === undefined ? null : <div className="page-tools">{tools}</div>}
      </header>
      {children}
    </div>
  )
}

/** Names the tab: by what sounds, and else by the screen. */
export function useTitle(title: string) {
  const sounding = usePlayerState(soundingTitle)
  useEffect(() => {
    document.title = `${sounding ?? title} · Hocket`
  }, [sounding, title])
}
