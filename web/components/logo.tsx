/** The mark: a melody that passes from one stem to the other, the rests of each filled by the other voice: an H. */
export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg className="mark" width={size} height={size} viewBox="0 0 64 64" aria-hidden focusable="false">
      <path className="mark-first" d={firstVoice} />
      <rect className="mark-second" x="8" y="43" width="16" height="17" rx="4" />
      <rect className="mark-second" x="40" y="4" width="16" height="17" rx="4" />
    </svg>
  )
}

const firstVoice =
  'M12 4h8a4 4 0 0 1 4 4v18h28a4 4 0 0 1 4 4v26a4 4 0 0 1-4 4h-8a4 4 0 0 1-4-4V38H12a4 4 0 0 1-4-4V8a4 4 0 0 1 4-4z'

export function Wordmark() {
  return (
    <span className="wordmark">
      <Mark />
      <span>hocket</span>
    </span>
  )
}

/** Two bars that rise in turn: this is what sounds now. */
export function Sounding({ paused = false }: { paused?: boolean }) {
  return (
    <span className={paused ? 'sounding sounding-paused' : 'sounding'} aria-hidden>
      <i />
      <i />
      <i />
    </span>
  )
}
