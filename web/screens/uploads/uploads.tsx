import { Link } from '@tanstack/react-router'
import { CircleAlert, CircleCheck, Copy, RotateCw, Upload, X } from 'lucide-react'
import { useRef, useSyncExternalStore } from 'react'
import { useServices } from '../../app/services.tsx'
import type { UploadItem, UploadState } from '../../app/uploads.ts'
import { Button, IconButton, Progress } from '../../components/controls.tsx'
import { Page } from '../../components/page.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import { WithdrawButton } from './withdraw-button.tsx'
import './uploads.css'

const accepted = 'audio/*,.mp3,.flac,.ogg,.oga,.opus,.m4a,.aac,.wav,.aif,.aiff,.wv,.ape,.wma'

export function Uploads() {
  const { uploads } = useServices()
  const { say, format } = useWords()
  const { items } = useSyncExternalStore(uploads.state.subscribe, uploads.state.get)
  const input = useRef<HTMLInputElement>(null)
  const done = items.filter((item) => item.state === 'done' || item.state === 'duplicate').length
  const bytes = items.reduce((sum, item) => sum + item.size, 0)
  const sent = items.reduce((sum, item) => sum + Math.min(item.sent, item.size), 0)
  return (
    <Page title={say('uploads')}>
      <button type="button" className="upload-place" onClick={() => input.current?.click()}>
        <Upload size={34} aria-hidden />
        <b>{say('uploadPlace')}</b>
        <span>{say('uploadPlaceText')}</span>
      </button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        accept={accepted}
        aria-label={say('uploadMusic')}
        onChange={(event) => {
          uploads.add([...(event.currentTarget.files ?? [])])
          event.currentTarget.value = ''
        }}
      />
      {items.length === 0 ? null : (
        <section className="upload-list">
          <header>
            <p role="status">{say('uploadedOf', { done, count: items.length })}</p>
            <Button look="quiet" disabled={done === 0} onClick={uploads.clearDone}>
              {say('clearDone')}
            </Button>
          </header>
          <Progress
            value={bytes === 0 ? 1 : sent / bytes}
            label={say('uploadedOf', { done, count: items.length })}
          />
          <p className="fine">{say('bytesOf', { part: format.bytes(sent), whole: format.bytes(bytes) })}</p>
          <ul>
            {items.map((item) => (
              <UploadRow key={item.id} item={item} />
            ))}
          </ul>
        </section>
      )}
    </Page>
  )
}

const stateWords = {
  waiting: 'uploadWaiting',
  sending: 'uploadSending',
  finishing: 'uploadFinishing',
  done: 'uploadDone',
  duplicate: 'uploadDuplicate',
  failed: 'uploadFailed',
} as const satisfies Record<UploadState, string>

function UploadRow({ item }: { item: UploadItem }) {
  const { uploads } = useServices()
  const { say, format, problem } = useWords()
  const moves = item.state === 'sending' || item.state === 'finishing'
  return (
    <li className="upload" data-state={item.state}>
      <StateIcon state={item.state} />
      <div className="upload-text">
        <b dir="auto">
          {item.track === undefined ? (
            (item.title ?? item.name)
          ) : (
            <TrackLink text={item.title ?? item.name} />
          )}
        </b>
        <span>
          {say(stateWords[item.state])}
          {moves ? ` · ${format.percent(item.sent, item.size)}` : ''} · {format.bytes(item.size)}
        </span>
        {moves ? (
          <Progress
            value={item.state === 'finishing' ? undefined : item.sent / Math.max(item.size, 1)}
            label={say('progressOf', { name: item.name })}
          />
        ) : null}
        {item.error === undefined ? null : (
          <span className="upload-error">
            {problem(item.error).brief}. {problem(item.error).help}
          </span>
        )}
      </div>
      {item.state === 'done' && item.track !== undefined ? (
        <WithdrawButton
          track={{ id: item.track, title: item.title ?? item.name }}
          onWithdrawn={() => uploads.remove(item.id)}
        />
      ) : null}
      {item.state === 'failed' ? (
        <IconButton icon={RotateCw} label={say('tryAgain')} onClick={() => uploads.retry(item.id)} />
      ) : null}
      <IconButton
        icon={X}
        label={say('removeNamed', { name: item.name })}
        onClick={() => uploads.remove(item.id)}
      />
    </li>
  )
}

/** The track of an upload is found by search; its album is not known here. */
function TrackLink({ text }: { text: string }) {
  return (
    <Link to="/search" search={{ q: text }}>
      {text}
    </Link>
  )
}

function StateIcon({ state }: { state: UploadState }) {
  if (state === 'done') return <CircleCheck size={22} aria-hidden className="upload-good" />
  if (state === 'duplicate') return <Copy size={22} aria-hidden />
  if (state === 'failed') return <CircleAlert size={22} aria-hidden className="upload-bad" />
  return <Upload size={22} aria-hidden />
}
