import { type ReactNode, useEffect } from 'react'
import './page.css'

/** A screen: its title in the document and on the page, what it offers to do, and the thing itself. */
export function Page({
  title,
  tools,
  note,
  children,
  hideTitle = false,
}: {
  title: string
  tools?: ReactNode
  note?: ReactNode
  children: ReactNode
  hideTitle?: boolean
}) {
  useTitle(title)
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

export function useTitle(title: string) {
  useEffect(() => {
    document.title = `${title} · Hocket`
  }, [title])
}
