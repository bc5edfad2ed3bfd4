import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { FolderPlus, HardDriveUpload, Library, RefreshCw } from 'lucide-react'
import { useState } from 'react'
import type { LibrarySummary } from '../../../src/protocol/api/catalog.ts'
import { problemOf } from '../../api/problem.ts'
import { useNotify } from '../../app/notices.tsx'
import { librariesQuery, scanQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Button } from '../../components/controls.tsx'
import { Confirm } from '../../components/dialog.tsx'
import { Bones, EmptyState, Loaded } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import { AddFolder } from './add-folder.tsx'
import { ScanPanel } from './scan-panel.tsx'
import { VisibilityDialog } from './visibility.tsx'

/** Where the music comes from: folders of the server, and what was uploaded. */
export function Libraries() {
  const { say } = useWords()
  const libraries = useQuery(librariesQuery(useApi()))
  const [adding, setAdding] = useState(false)
  return (
    <div className="narrow">
      <ScanPanel />
      <section className="panel">
        <h2>{say('libraries')}</h2>
        <Loaded query={libraries} bones={<Bones shape="line" count={2} />}>
          {({ items }) =>
            items.length === 0 ? (
              <EmptyState icon={Library} title={say('noLibrariesTitle')} text={say('noLibrariesText')} />
            ) : (
              <ul className="lines">
                {items.map((library) => (
                  <LibraryRow key={library.id} library={library} />
                ))}
              </ul>
            )
          }
        </Loaded>
        <div className="row">
          <Button look="primary" icon={FolderPlus} onClick={() => setAdding(true)}>
            {say('addMusicFolder')}
          </Button>
          <Link to="/uploads" className="button button-plain">
            <HardDriveUpload size={18} aria-hidden />
            {say('uploadMusic')}
          </Link>
        </div>
      </section>
      {adding ? <AddFolder onClose={() => setAdding(false)} /> : null}
    </div>
  )
}

function LibraryRow({ library }: { library: LibrarySummary }) {
  const api = useApi()
  const queries = useQueryClient()
  const notify = useNotify()
  const { say } = useWords()
  const [open, setOpen] = useState<'remove' | 'visibility'>()
  const close = () => setOpen(undefined)
  const folder = library.kind === 'folder'

  const attempt = async (action: () => Promise<unknown>) => {
    try {
      await action()
    } catch (error) {
      notify(problemOf(error))
    }
  }
  const scan = () =>
    attempt(async () =>
      queries.setQueryData(scanQuery(api).queryKey, await api.scan({ library: library.id, full: false })),
    )
  const remove = () =>
    attempt(async () => {
      await api.removeLibrary(library.id)
      await queries.invalidateQueries()
    })

  return (
    <li>
      <div>
        <b>{library.name}</b>
        <p className="fine">{library.path ?? say('uploadedFiles')}</p>
        <p className="fine">
          {say('songCount', { count: library.trackCount })} ·{' '}
          {library.visibleTo === 'everyone'
            ? say('visibleToEveryone')
            : say('visibleToSome', { count: library.visibleTo.length })}
          {library.problemCount === 0 ? null : (
            <>
              {' · '}
              <Link
                to="/administration/problems"
                search={{ library: library.id }}
                className="badge badge-accent"
              >
                {say('problemCount', { count: library.problemCount })}
              </Link>
            </>
          )}
        </p>
      </div>
      {folder ? (
        <Button look="quiet" icon={RefreshCw} onClick={() => void scan()}>
          {say('scanLibrary')}
        </Button>
      ) : null}
      <Button look="quiet" onClick={() => setOpen('visibility')}>
        {say('edit')}
      </Button>
      {folder ? (
        <Button look="danger" onClick={() => setOpen('remove')}>
          {say('remove')}
        </Button>
      ) : null}
      {open === 'visibility' ? <VisibilityDialog library={library} onClose={close} /> : null}
      {open === 'remove' ? (
        <Confirm
          title={say('removeLibraryTitle', { name: library.name })}
          text={say('removeLibraryText')}
          action={say('remove')}
          onConfirm={() => void remove()}
          onClose={close}
        />
      ) : null}
    </li>
  )
}
