import { X } from 'lucide-react'
import { type ReactNode, useCallback, useEffect } from 'react'
import type { ProblemDocument } from '../../src/protocol/api/problem.ts'
import { useWords } from '../i18n/i18n.tsx'
import { useServices, useView } from './services.tsx'
import { type Notice, withNotice } from './view.ts'
import './notices.css'

const shownMs = 5_000

/** `notify('Added to the queue')` or `notify(problem)`. */
export function useNotify(): (about: string | ProblemDocument) => void {
  const { view } = useServices()
  return useCallback(
    (about) =>
      view.set(withNotice(view.get(), typeof about === 'string' ? { text: about } : { problem: about })),
    [view],
  )
}

/** `children`: what stays there until a person has chosen. */
export function Notices({ children }: { children: ReactNode }) {
  const notices = useView((view) => view.notices)
  return (
    <div className="notices" role="status" aria-live="polite">
      {children}
      {notices.map((notice) => (
        <NoticeLine key={notice.id} notice={notice} />
      ))}
    </div>
  )
}

function NoticeLine({ notice }: { notice: Notice }) {
  const { view } = useServices()
  const words = useWords()
  const close = useCallback(
    () => view.set({ notices: view.get().notices.filter(({ id }) => id !== notice.id) }),
    [view, notice.id],
  )
  useEffect(() => {
    const timer = setTimeout(close, notice.problem === undefined ? shownMs : shownMs * 2)
    return () => clearTimeout(timer)
  }, [close, notice.problem])
  const problem = notice.problem && words.problem(notice.problem)
  return (
    <div className={problem === undefined ? 'notice' : 'notice notice-problem'}>
      <div>
        <p>{problem === undefined ? notice.text : problem.brief}</p>
        {problem === undefined ? null : <p className="notice-help">{problem.help}</p>}
      </div>
      <button type="button" className="icon-button" onClick={close} aria-label={words.say('close')}>
        <X size={18} aria-hidden />
      </button>
    </div>
  )
}
