import { type Connection, connectAddress, isLoopback } from '../../app/connection.ts'
import { Button } from '../../components/controls.tsx'
import { Dialog } from '../../components/dialog.tsx'
import QrCode from '../../components/qr-code.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import { ConnectionLines } from '../connect/connection-lines.tsx'
import './connect-dialog.css'

/** A new secret, this once: to be copied here, or carried to a phone by its camera. */
export default function ConnectDialog({
  label,
  connection,
  onClose,
}: {
  label: string
  connection: Connection
  onClose(): void
}) {
  const { say } = useWords()
  const unreachable = isLoopback(connection.server)
  return (
    <Dialog title={say('connectNamed', { name: label })} onClose={onClose}>
      <p className="soft">{say('secretOnce')}</p>
      <ConnectionLines connection={connection} />
      {unreachable ? (
        <p className="connect-here">{say('onlyThisDevice')}</p>
      ) : (
        <div className="connect-phone">
          <QrCode text={connectAddress(connection)} label={say('qrCode')} />
          <div>
            <h3>{say('qrTitle')}</h3>
            <p className="soft">{say('qrText')}</p>
          </div>
        </div>
      )}
      <div className="dialog-actions">
        <Button look="primary" onClick={onClose}>
          {say('secretKept')}
        </Button>
      </div>
    </Dialog>
  )
}
