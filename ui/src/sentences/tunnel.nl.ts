// The way to the host, and the tunnel: the owner’s sentences in Dutch (see sentences.ts).

import type { Pattern } from './sentences';

export const tunnel: readonly Pattern[] = [
  ['The SSH options for {1} could not be read: {2}.', 'De SSH-opties voor {1} zijn niet te lezen: {2}.'],
  [
    'The SSH host {1} could not be found: its name does not resolve.',
    'De SSH-host {1} is niet te vinden: zijn naam leidt nergens heen.',
  ],
  [
    '{1} could not be reached on port {2}: the connection was refused.',
    '{1} is niet te bereiken op poort {2}: de verbinding werd geweigerd.',
  ],
  [
    '{1} could not be reached on port {2}: there is no route to it.',
    '{1} is niet te bereiken op poort {2}: er is geen route naartoe.',
  ],
  ['{1} could not be reached on port {2}: {3}.', '{1} is niet te bereiken op poort {2}: {3}.'],
  ['{1} did not answer on port {2} within {3} s.', '{1} antwoordde niet binnen {3} s op poort {2}.'],
  ['The ProxyCommand for {1} could not be started.', 'Het ProxyCommand voor {1} kon niet worden gestart.'],
  [
    '{1} accepted the connection on port {2}, but did not speak SSH within {3} s.',
    '{1} nam de verbinding op poort {2} aan, maar sprak binnen {3} s geen SSH.',
  ],
  ['Port {1} of {2} is not an SSH server.', 'Op poort {1} van {2} luistert geen SSH-server.'],
  [
    '{1} closed the connection before the SSH session was up.',
    '{1} sloot de verbinding voordat de SSH-sessie er was.',
  ],
  ['{1} turns this machine away for now: it says “{2}”.', '{1} wijst deze computer nu af; hij zegt “{2}”.'],
  ['{1} did not wait for the answer.', '{1} wachtte niet op het antwoord.'],
  [
    'What came from {1} while the SSH session was made was damaged: {2}.',
    'Wat er van {1} kwam tijdens het opzetten van de SSH-sessie was beschadigd: {2}.',
  ],
  [
    'No SSH session with {1} could be agreed on: {2}.',
    'Over een SSH-sessie met {1} was geen overeenstemming te krijgen: {2}.',
  ],
  [
    '{1} only offers {2} without strict key exchange, which the Terrapin attack weakens.',
    '{1} biedt alleen {2} zonder strikte sleuteluitwisseling aan; de Terrapin-aanval verzwakt dat.',
  ],
  [
    'The SSH host {1} has never been seen before; its {2} key is {3}.',
    'De SSH-host {1} is hier nooit eerder gezien; zijn {2}-sleutel is {3}.',
  ],
  [
    'The key of the SSH host {1} has changed: its {2} key is now {3}, which is not what line {4} of {5} says. Somebody may be listening in, or the host was installed anew.',
    'De sleutel van de SSH-host {1} is veranderd: zijn {2}-sleutel is nu {3}, en dat is niet wat regel {4} van {5} zegt. Misschien luistert er iemand mee, of de host is opnieuw geïnstalleerd.',
  ],
  [
    'The key of the SSH host {1} ({2}) is revoked by line {3} of {4}.',
    'De sleutel van de SSH-host {1} ({2}) is ingetrokken door regel {3} van {4}.',
  ],
  [
    'The key of the SSH host {1} ({2}) is revoked by {3}.',
    'De sleutel van de SSH-host {1} ({2}) is ingetrokken door {3}.',
  ],
  [
    'The key of the SSH host {1} is of a kind that is not safe.',
    'De sleutel van de SSH-host {1} is van een soort die niet veilig is.',
  ],
  [
    'The certificate of the SSH host {1} ({2}) is not valid: {3}.',
    'Het certificaat van de SSH-host {1} ({2}) is niet geldig: {3}.',
  ],
  [
    'The list of revoked host keys {1} could not be read, so no key can be trusted.',
    'De lijst met ingetrokken hostsleutels {1} is niet te lezen; daarom is geen sleutel te vertrouwen.',
  ],
  [
    'No key can be trusted because of the list of revoked host keys {1}: {2}.',
    'Geen sleutel is te vertrouwen vanwege de lijst met ingetrokken hostsleutels {1}: {2}.',
  ],
  ["The host's key could not be added to {1}.", 'De sleutel van de host kon niet aan {1} worden toegevoegd.'],
  ['The key file {1} cannot be used: {2}.', 'Het sleutelbestand {1} is niet te gebruiken: {2}.'],
  [
    '{1} did not accept the login: there was no key and no password to try.',
    '{1} accepteerde de login niet: er was geen sleutel en geen wachtwoord om te proberen.',
  ],
  ['{1} did not accept the login with {2}.', '{1} accepteerde de login met {2} niet.'],
  ['{1} did not accept the login.', '{1} accepteerde de login niet.'],
  [
    '{1} ended the session after one try to log in: {2}.',
    '{1} brak de sessie af na één poging om in te loggen: {2}.',
  ],
  [
    '{1} ended the session after {2} tries to log in: {3}.',
    '{1} brak de sessie af na {2} pogingen om in te loggen: {3}.',
  ],
  [
    '{1} asks for something new at each login, and nobody was to be asked.',
    '{1} vraagt bij elke login iets nieuws, en er was niemand om het aan te vragen.',
  ],
  ['The jump host {1} could not be passed. {2!}', 'De tussenhost {1} liet ons niet door. {2!}'],
  ['The SSH session with {1} was lost: {2}.', 'De SSH-sessie met {1} is verloren gegaan: {2}.'],
  [
    '{1} could not connect to {2}: nothing listens there.',
    '{1} kon niet verbinden met {2}: daar luistert niets.',
  ],
  [
    'The registry at {1} on {2} does not answer as one: {3}.',
    'De registry op {1} van {2} antwoordt niet als registry: {3}.',
  ],
  [
    "{1!} The registry's other hosts were not tried, since that would hide it.",
    '{1!} De andere hosts van de registry zijn niet geprobeerd, want dat zou het verbergen.',
  ],
  ['None of its {1} hosts can be used. {2!}', 'Geen van zijn {1} hosts is te gebruiken. {2!}'],
  [
    'The SSH server on {1} does not allow a forward to {2}.',
    'De SSH-server op {1} staat doorsturen naar {2} niet toe.',
  ],
  [
    'The SSH server on {1} does not let us listen on its 127.0.0.1:{2}.',
    'De SSH-server op {1} laat ons niet luisteren op zijn 127.0.0.1:{2}.',
  ],
  [
    'The SSH server on {1} does not let us run programs.',
    "De SSH-server op {1} laat ons geen programma's uitvoeren.",
  ],
  [
    '127.0.0.1:{1} is taken on {2}: something listens there already.',
    '127.0.0.1:{1} is bezet op {2}: daar luistert al iets.',
  ],
  [
    '{1} lets other machines connect to its port {2}; {3} tried, and was refused.',
    '{1} laat andere machines verbinden met zijn poort {2}; {3} probeerde het en werd geweigerd.',
  ],
  [
    'The registry that is offered, {1}, could not be connected to: the connection was refused.',
    'De registry die wordt aangeboden, {1}, is niet te bereiken: de verbinding werd geweigerd.',
  ],
  [
    'The registry that is offered, {1}, could not be connected to: {2}.',
    'De registry die wordt aangeboden, {1}, is niet te bereiken: {2}.',
  ],
  [
    '{1} opened no further channel to {2}: it allows no more at once.',
    '{1} opende geen kanaal meer naar {2}: meer tegelijk staat hij niet toe.',
  ],
  ['{1} opened no channel to {2}: {3}.', '{1} opende geen kanaal naar {2}: {3}.'],
  ['{1} is taken by {2}.', '{1} is bezet door {2}.'],
  ['{1} is taken.', '{1} is bezet.'],
  ['{1} is not an address of this machine.', '{1} is geen adres van deze computer.'],
  [
    '{1} is neither a loopback address nor the address of a bridge for containers on this machine.',
    '{1} is geen loopback-adres en ook niet het adres van een brug voor containers op deze computer.',
  ],
  ['{1} could not be listened on: {2}.', 'Op {1} kon niet worden geluisterd: {2}.'],
  ['The tunnel was disconnected.', 'De tunnel is verbroken.'],
  ['The tunnel to {1} was closed by hand.', 'De tunnel naar {1} is met de hand gesloten.'],
  ['The tunnel was not up within {1} s.', 'De tunnel was er niet binnen {1} s.'],
  ['The SSH session failed: {1}.', 'De SSH-sessie mislukte: {1}.'],
  [
    "Check ~/.ssh/config and the registry's SSH target.",
    'Controleer ~/.ssh/config en de SSH-login van de registry.',
  ],
  [
    'Check the name for a typo, and whether this machine is online or needs a VPN.',
    'Kijk of er een typefout in de naam staat, en of deze computer online is of een VPN nodig heeft.',
  ],
  ['Check that sshd runs there, and on that port.', 'Kijk of sshd daar draait, en op die poort.'],
  [
    'Check that the host is on, and that no firewall is in the way.',
    'Kijk of de host aanstaat, en of er geen firewall in de weg zit.',
  ],
  [
    'Check the port: 22 unless the server says otherwise.',
    'Controleer de poort: 22, tenzij de server iets anders zegt.',
  ],
  [
    'The server may be overloaded (MaxStartups) or may be turning this address away for a while (PerSourcePenalties, fail2ban).',
    'Misschien is de server overbelast (MaxStartups), of wijst hij dit adres een tijd af (PerSourcePenalties, fail2ban).',
  ],
  [
    "Too many logins from here failed, or too many came at once (PerSourcePenalties, MaxStartups). Dockline waits and tries again by itself; the server's owner can see in its log until when.",
    'Te veel logins vanaf hier mislukten, of er kwamen er te veel tegelijk (PerSourcePenalties, MaxStartups). Dockline wacht en probeert het vanzelf opnieuw; de eigenaar van de server kan in het log zien tot wanneer.',
  ],
  [
    'Connect again; the answer is not asked for twice.',
    'Verbind opnieuw; het antwoord wordt geen tweede keer gevraagd.',
  ],
  [
    "Wait until a transfer has ended, or ask the server's owner for more channels.",
    'Wacht tot een overdracht klaar is, of vraag de eigenaar van de server om meer kanalen.',
  ],
  [
    'Something on the way may have cut or changed the connection. If it stays like this, try another network.',
    'Misschien heeft iets onderweg de verbinding verbroken of veranderd. Blijft het zo, probeer dan een ander netwerk.',
  ],
  ['Update the SSH server.', 'Werk de SSH-server bij.'],
  [
    'Compare the fingerprint with the one that `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints on the server, then connect again.',
    'Vergelijk de vingerafdruk met wat `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` op de server toont, en verbind dan opnieuw.',
  ],
  [
    'StrictHostKeyChecking is yes for this host, so nobody is asked: add its key to known_hosts, as its owner gives it to you.',
    'StrictHostKeyChecking staat voor deze host op yes, dus er wordt niets gevraagd: zet zijn sleutel in known_hosts, zoals de eigenaar hem u geeft.',
  ],
  [
    'Connect once where you can be asked (the window, or `dockline connect` in a terminal), or log in once with ssh.',
    'Verbind één keer waar u iets gevraagd kan worden (het venster, of `dockline connect` in een terminal), of log één keer in met ssh.',
  ],
  [
    "Ask the server's owner. Only if the change is theirs, remove the old key with `ssh-keygen -R {1}` and connect again.",
    'Vraag het de eigenaar van de server. Alleen als de verandering van hem komt: haal de oude sleutel weg met `ssh-keygen -R {1}` en verbind opnieuw.',
  ],
  [
    'Do not use this server before its owner has given it a new key.',
    'Gebruik deze server niet voordat de eigenaar hem een nieuwe sleutel heeft gegeven.',
  ],
  [
    "Ask the server's owner for a new certificate, or for the key itself, to be added to known_hosts.",
    'Vraag de eigenaar van de server om een nieuw certificaat, of om de sleutel zelf, voor in known_hosts.',
  ],
  [
    'RevokedHostKeys in ~/.ssh/config names it: fix the file, or the setting.',
    'RevokedHostKeys in ~/.ssh/config noemt het: herstel het bestand, of de instelling.',
  ],
  [
    "Your SSH agent holds many keys, and the server's patience ended before the right one.",
    'Uw SSH-agent heeft veel sleutels, en het geduld van de server was op vóór de juiste.',
  ],
  [
    'Name the key for this registry (`identity = "~/.ssh/…"`), or in ~/.ssh/config set IdentityFile and `IdentitiesOnly yes` for this host; then only that key is tried.',
    'Noem de sleutel voor deze registry (`identity = "~/.ssh/…"`), of zet in ~/.ssh/config voor deze host IdentityFile en `IdentitiesOnly yes`; dan wordt alleen die sleutel geprobeerd.',
  ],
  [
    "Check the file's permissions and the free space.",
    'Controleer de rechten van het bestand en de vrije ruimte.',
  ],
  ['Choose another key file for this registry.', 'Kies een ander sleutelbestand voor deze registry.'],
  [
    "Add your public key to the server's authorized_keys (`ssh-copy-id {1}`).",
    'Zet uw publieke sleutel in authorized_keys op de server (`ssh-copy-id {1}`).',
  ],
  ['The server accepts: {1}.', 'De server accepteert: {1}.'],
  ['Connect where you can be asked.', 'Verbind waar u iets gevraagd kan worden.'],
  [
    'Dockline reconnects by itself while something needs the tunnel.',
    'Dockline verbindt vanzelf opnieuw zolang iets de tunnel nodig heeft.',
  ],
  [
    'Check that the registry runs on the server and listens on {1}.',
    'Kijk of de registry op de server draait en luistert op {1}.',
  ],
  ["Look at the registry's log on the server.", 'Kijk in het log van de registry op de server.'],
  [
    "In the server's sshd_config or authorized_keys, allow it: AllowTcpForwarding yes, permitopen={1} (spelled exactly like this).",
    'Sta het toe in sshd_config of authorized_keys van de server: AllowTcpForwarding yes, permitopen={1} (precies zo geschreven).',
  ],
  [
    "In the server's sshd_config or authorized_keys, allow it: AllowTcpForwarding yes, permitlisten={1} (spelled exactly like this); or something listens on that port there already.",
    'Sta het toe in sshd_config of authorized_keys van de server: AllowTcpForwarding yes, permitlisten={1} (precies zo geschreven); of er luistert daar al iets op die poort.',
  ],
  [
    'Log in there as a user that may use the shell: a forced command, or “restrict” in authorized_keys, keeps others from it.',
    'Log daar in als een gebruiker die de shell mag gebruiken: een opgelegde opdracht, of “restrict” in authorized_keys, houdt anderen tegen.',
  ],
  [
    'Choose another port with --port, or stop what listens there.',
    'Kies een andere poort, of stop wat daar luistert.',
  ],
  [
    "Take “GatewayPorts yes” out of the server's sshd_config; “no” is the default.",
    'Haal “GatewayPorts yes” uit sshd_config van de server; “no” is de standaard.',
  ],
  [
    'Check that the registry of this machine runs on {1}.',
    'Kijk of de registry van deze computer op {1} draait.',
  ],
  ["The server's log says more.", 'Het log van de server zegt meer.'],
  [
    'Stop that program, or choose another port for this registry.',
    'Stop dat programma, of kies een andere poort voor deze registry.',
  ],
  [
    'Choose another address for this registry: 127.0.0.1 works everywhere, with a port of its own.',
    'Kies een ander adres voor deze registry: 127.0.0.1 werkt overal, met een eigen poort.',
  ],
  [
    'A tunnel is for this machine alone: choose an address in 127.0.0.0/8, and for containers the gateway that `docker network inspect bridge` names.',
    'Een tunnel is alleen voor deze computer: kies een adres in 127.0.0.0/8, en voor containers de gateway die `docker network inspect bridge` noemt.',
  ],
  ['Check ProxyCommand in ~/.ssh/config.', 'Controleer ProxyCommand in ~/.ssh/config.'],
  ['Connect again when you need it.', 'Verbind opnieuw als u hem nodig hebt.'],
  // Why a way to log in was not tried.
  ["The server's questions were not answered.", 'De vragen van de server werden niet beantwoord.'],
  ['{1} needs its passphrase.', 'Voor {1} is de wachtwoordzin nodig.'],
  ['A key was accepted, but {1}.', 'Een sleutel werd geaccepteerd, maar {1}.'],
  ['{1} is not a certificate.', '{1} is geen certificaat.'],
  [
    'The server takes RSA keys only with SHA-1, which is broken.',
    'De server neemt RSA-sleutels alleen met SHA-1, en dat is gebroken.',
  ],
  [
    'The ProxyCommand for {1} ended {2!} before the SSH session was up; it said “{3}”.',
    'Het ProxyCommand voor {1} eindigde {2!} voordat de SSH-sessie er was; het meldde “{3}”.',
  ],
  [
    'The ProxyCommand for {1} ended {2!} before the SSH session was up.',
    'Het ProxyCommand voor {1} eindigde {2!} voordat de SSH-sessie er was.',
  ],
  [
    'The program that ProxyCommand in ~/.ssh/config names is not there or cannot be run: install it, or write its whole path.',
    'Het programma dat ProxyCommand in ~/.ssh/config noemt, is er niet of kan niet worden gestart: installeer het, of schrijf het volledige pad.',
  ],
  [
    'The same command in a terminal may say more (ProxyCommand in ~/.ssh/config).',
    'Dezelfde opdracht in een terminal zegt misschien meer (ProxyCommand in ~/.ssh/config).',
  ],
  [
    'Check that the host is on, and that macOS lets Dockline connect to it: System Settings › Privacy & Security › Local Network: allow Dockline.',
    'Kijk of de host aanstaat, en of macOS Dockline ermee laat verbinden: Systeeminstellingen › Privacy en beveiliging › Lokaal netwerk: sta Dockline toe.',
  ],
  [
    'The SSH agent {1} does not answer the Dockline that runs.',
    'De SSH-agent {1} antwoordt de Dockline die draait niet.',
  ],
  [
    'No SSH agent is known to the Dockline that runs: SSH_AUTH_SOCK was not set where it was started.',
    'De Dockline die draait kent geen SSH-agent: SSH_AUTH_SOCK was niet ingesteld waar hij is gestart.',
  ],
  ['{1} does not exist.', '{1} bestaat niet.'],
  [
    'A key was accepted, but the agent did not answer within {1} s.',
    'Een sleutel is geaccepteerd, maar de agent heeft niet binnen {1} s geantwoord.',
  ],
];
