// Changing the settings of engines and the hosts file, and undoing it: the owner’s sentences in Dutch (see sentences.ts).

import type { Pattern } from './sentences';

export const setup: readonly Pattern[] = [
  [
    "Podman's service could not be told to read its settings again ({1}); restart it: systemctl restart podman.service. No container stops.",
    'De service van Podman kon niet gevraagd worden zijn instellingen opnieuw te lezen ({1}); herstart hem: systemctl restart podman.service. Er stopt geen container.',
  ],
  ['Give the registry an address such as 127.77.1.1.', 'Geef de registry een adres zoals 127.77.1.1.'],
  [
    'Choose the address of the Docker bridge, such as 172.17.0.1.',
    'Kies het adres van de Docker-brug, zoals 172.17.0.1.',
  ],
  [
    "Keep one registry of that name in Dockline's configuration.",
    'Houd in de configuratie van Dockline één registry met die naam.',
  ],
  ['Choose a name below it, such as cr.{1}.', 'Kies een naam daaronder, zoals cr.{1}.'],
  [
    'Remove the lines from “{1}” to “{2}” yourself, then try again.',
    'Verwijder zelf de regels van “{1}” tot “{2}”, en probeer het opnieuw.',
  ],
  [
    'Remove the “{1}” that does not count and try again.',
    'Verwijder de “{1}” die niet telt en probeer het opnieuw.',
  ],
  [
    'Make it a list, such as {1}: [], and try again.',
    'Maak er een lijst van, zoals {1}: [], en probeer het opnieuw.',
  ],
  [
    'Add the registry under docker: insecure-registries: yourself, and start the engine anew.',
    'Voeg de registry zelf toe onder docker: insecure-registries:, en start de engine opnieuw.',
  ],
  ['No thread could be started: {1}.', 'Er kon geen thread worden gestart: {1}.'],
  [
    'The change of the hosts file ended without saying how.',
    'De verandering van het hosts-bestand eindigde zonder te zeggen hoe.',
  ],
  [
    'The change of the settings ended without saying how.',
    'De verandering van de instellingen eindigde zonder te zeggen hoe.',
  ],
  ['Every setting that is needed is there already.', 'Elke instelling die nodig is, is er al.'],
  ['Nothing needs to be changed: {1!}', 'Er hoeft niets te veranderen: {1!}'],
  ["Dockline's part of {1} goes.", 'Het deel van Dockline in {1} gaat weg.'],
  [
    "Nothing of Dockline's is in any settings file.",
    'In geen enkel instellingenbestand staat iets van Dockline.',
  ],
  ['These files hold what Dockline added to them.', 'In deze bestanden staat wat Dockline toevoegde.'],
  [
    'Dockline changes {1!} so that docker push works here; nothing is restarted.',
    'Dockline verandert {1!} zodat docker push hier werkt; er wordt niets herstart.',
  ],
  [
    "Dockline changes {1!} so that nothing of Dockline's is left in them; nothing is restarted.",
    'Dockline verandert {1!} zodat er niets van Dockline in blijft; er wordt niets herstart.',
  ],
  [
    'Dockline changes {1!} so that docker push works here; no running container stops.',
    'Dockline verandert {1!} zodat docker push hier werkt; er stopt geen draaiende container.',
  ],
  [
    "Dockline changes {1!} so that nothing of Dockline's is left in them; no running container stops.",
    'Dockline verandert {1!} zodat er niets van Dockline in blijft; er stopt geen draaiende container.',
  ],
  [
    'Dockline changes {1!} so that docker push works here; the container {2} stops.',
    'Dockline verandert {1!} zodat docker push hier werkt; de container {2} stopt.',
  ],
  [
    "Dockline changes {1!} so that nothing of Dockline's is left in them; the container {2} stops.",
    'Dockline verandert {1!} zodat er niets van Dockline in blijft; de container {2} stopt.',
  ],
  [
    'Dockline changes {1!} so that docker push works here; {2} running containers stop.',
    'Dockline verandert {1!} zodat docker push hier werkt; {2} draaiende containers stoppen.',
  ],
  [
    "Dockline changes {1!} so that nothing of Dockline's is left in them; {2} running containers stop.",
    'Dockline verandert {1!} zodat er niets van Dockline in blijft; {2} draaiende containers stoppen.',
  ],
  [
    "Give the authority's certificate as PEM (-----BEGIN CERTIFICATE-----).",
    'Geef het certificaat van de autoriteit als PEM (-----BEGIN CERTIFICATE-----).',
  ],
  [
    'Tell dockerd to read its settings again (SIGHUP).',
    'Dockerd zijn instellingen opnieuw laten lezen (SIGHUP).',
  ],
  [
    'Tell dockerd to read its settings again: systemctl --user reload docker.',
    'Dockerd zijn instellingen opnieuw laten lezen: systemctl --user reload docker.',
  ],
  [
    'Docker Desktop restarts. (Before 4.37: choose Restart in its menu.)',
    'Docker Desktop herstart. (Vóór 4.37: kies Restart in zijn menu.)',
  ],
  ['OrbStack restarts its Docker engine.', 'OrbStack herstart zijn Docker-engine.'],
  ['Rancher Desktop stops.', 'Rancher Desktop stopt.'],
  ['Rancher Desktop starts again.', 'Rancher Desktop start opnieuw.'],
  [
    "Dockline's settings inside Rancher Desktop's machine go.",
    'De instellingen van Dockline in de machine van Rancher Desktop gaan weg.',
  ],
  [
    'The same settings are written inside the Podman machine; nothing restarts.',
    'Dezelfde instellingen worden in de Podman-machine geschreven; er herstart niets.',
  ],
  [
    'Remove the builder, since builders read their settings only when they are made; its build cache goes with it.',
    'Verwijder de builder, want builders lezen hun instellingen alleen bij het maken; zijn cache gaat mee.',
  ],
  ['Make the builder anew, with the new settings.', 'Maak de builder opnieuw, met de nieuwe instellingen.'],
  ['The snap restarts Docker.', 'De snap herstart Docker.'],
  ['Windows restarts the Docker service.', 'Windows herstart de Docker-service.'],
  [
    'The operating system reads its trusted certificates again.',
    'Het besturingssysteem leest zijn vertrouwde certificaten opnieuw.',
  ],
  ['The operating system forgets the certificate.', 'Het besturingssysteem vergeet het certificaat.'],
  [
    'dockerd has read its settings again; no container stopped.',
    'Dockerd heeft zijn instellingen opnieuw gelezen; er is geen container gestopt.',
  ],
  [
    "Podman's service has read its settings again; no container stopped.",
    'De service van Podman heeft zijn instellingen opnieuw gelezen; er is geen container gestopt.',
  ],
  ['The snap has restarted Docker.', 'De snap heeft Docker herstart.'],
  ['Windows has restarted the Docker service.', 'Windows heeft de Docker-service herstart.'],
  [
    'The operating system has read its trusted certificates again.',
    'Het besturingssysteem heeft zijn vertrouwde certificaten opnieuw gelezen.',
  ],
  [
    'The operating system has forgotten the certificate.',
    'Het besturingssysteem is het certificaat vergeten.',
  ],
  [
    "Dockline's settings inside Rancher Desktop's machine are gone.",
    'De instellingen van Dockline in de machine van Rancher Desktop zijn weg.',
  ],
  ['Docker Desktop has restarted.', 'Docker Desktop is herstart.'],
  ['OrbStack has restarted its Docker engine.', 'OrbStack heeft zijn Docker-engine herstart.'],
  [
    'colima has restarted, and its machine got the new settings.',
    'Colima is herstart, en zijn machine heeft de nieuwe instellingen.',
  ],
  ['Rancher Desktop has stopped.', 'Rancher Desktop is gestopt.'],
  ['Rancher Desktop has started again.', 'Rancher Desktop is opnieuw gestart.'],
  [
    'The same settings are written inside the Podman machine; nothing restarted.',
    'Dezelfde instellingen zijn in de Podman-machine geschreven; er is niets herstart.',
  ],
  [
    'The builder is made anew, with the new settings.',
    'De builder is opnieuw gemaakt, met de nieuwe instellingen.',
  ],
  ['The builder is removed, and its build cache with it.', 'De builder is verwijderd, en zijn cache ook.'],
  ['{1} could not be started: {2}.', '{1} kon niet worden gestart: {2}.'],
  ['{1} is left as it is: {2}.', '{1} blijft zoals het is: {2}.'],
  [
    '{1} changed after its plan was shown; nothing was written.',
    '{1} veranderde nadat het plan was getoond; er is niets geschreven.',
  ],
  [
    '{1} changed after the plan was shown; nothing was written.',
    '{1} veranderde nadat het plan was getoond; er is niets geschreven.',
  ],
  ['Look at the new plan and agree to it again.', 'Bekijk het nieuwe plan en stem er opnieuw mee in.'],
  [
    'Nothing was changed. If Dockline itself asked for it, please report it.',
    'Er is niets veranderd. Als Dockline er zelf om vroeg, meld het dan.',
  ],
  [
    'Dockline writes regular files only. Add the lines yourself where the link leads.',
    'Dockline schrijft alleen gewone bestanden. Voeg de regels zelf toe waar de koppeling heen leidt.',
  ],
  [
    'Check that the file exists and that you may read it.',
    'Kijk of het bestand bestaat en of u het mag lezen.',
  ],
  [
    'Check that the disk is neither full nor read-only, and that you may write the file.',
    'Kijk of de schijf niet vol of alleen-lezen is, en of u het bestand mag schrijven.',
  ],
  [
    'Nothing was changed. Check that the folder can be written.',
    'Er is niets veranderd. Kijk of in de map geschreven kan worden.',
  ],
  [
    'Nothing was changed. Look into {1} and move it away.',
    'Er is niets veranderd. Kijk in {1} en haal het weg.',
  ],
  [
    '{1} is written in place because {2}; a copy is kept in {3} until that is done.',
    '{1} wordt ter plaatse geschreven; tot dat klaar is, wordt een kopie bewaard in {3}.',
  ],
  [
    "Changing the system's settings takes an administrator's rights, and neither pkexec nor sudo is there to ask for them.",
    'Instellingen van het systeem veranderen vraagt de rechten van een beheerder, en er is geen pkexec of sudo om ze te vragen.',
  ],
  [
    "Changing the system's settings takes an administrator's rights, and the program that asks for them, dockline-helper, is not beside dockline.",
    'Instellingen van het systeem veranderen vraagt de rechten van een beheerder, en het programma dat ze vraagt, dockline-helper, staat niet naast dockline.',
  ],
  [
    'Install Dockline with its helper, set DOCKLINE_HELPER to its path, or run this command as root.',
    'Installeer Dockline met zijn helper, zet DOCKLINE_HELPER op het pad ervan, of voer deze opdracht uit als root.',
  ],
  [
    "Leave to change the system's settings was not given; nothing was changed.",
    'Er is geen toestemming gegeven om instellingen van het systeem te veranderen; er is niets veranderd.',
  ],
  [
    'Try again, or run this as an administrator: {1}',
    'Probeer het opnieuw, of voer dit uit als beheerder: {1}',
  ],
  [
    "The engine still speaks HTTP to {1}, by another setting than Dockline's.",
    'De engine spreekt nog steeds HTTP met {1}, door een andere instelling dan die van Dockline.',
  ],
  [
    'The engine still lists {1} among its insecure registries: it did not read its settings again.',
    'De engine noemt {1} nog bij zijn onveilige registry’s: hij heeft zijn instellingen niet opnieuw gelezen.',
  ],
  [
    'See its log for why (journalctl -u docker), and reload it: sudo systemctl reload docker',
    'Zijn log zegt waarom (journalctl -u docker); herlaad hem: sudo systemctl reload docker',
  ],
  ['{1} is written.', '{1} is geschreven.'],
  ["{1} holds nothing of Dockline's any more.", '{1} bevat niets meer van Dockline.'],
  ['{1} asks for {2}', '{1} vraagt om {2}'],
  [
    'Nothing is set up for containers at {1}, since Dockline does not listen there: {2!}',
    'Voor containers op {1} is niets ingesteld, want Dockline luistert daar niet: {2!}',
  ],
  ['There was nothing to undo.', 'Er was niets terug te draaien.'],
  ["Dockline's change is undone.", 'De verandering van Dockline is teruggedraaid.'],
  ["Dockline's {1} changes are undone.", 'De {1} veranderingen van Dockline zijn teruggedraaid.'],
  [
    'The settings are written, but {1} does not get to {2} yet.',
    'De instellingen zijn geschreven, maar {1} komt nog niet bij {2}.',
  ],
  [
    'The settings are written; {1} could not be asked whether they work.',
    'De instellingen zijn geschreven; {1} kon niet gevraagd worden of ze werken.',
  ],
  [
    "Podman's service reads its settings again (SIGHUP); no container stops.",
    'De service van Podman leest zijn instellingen opnieuw (SIGHUP); er stopt geen container.',
  ],
  [
    'The files are written. Run it yourself: {1}; or take everything back: dockline setup --undo',
    'De bestanden zijn geschreven. Voer het zelf uit: {1}; of draai alles terug.',
  ],
  [
    '`{1}` failed, so the engine does not go by the new settings yet.',
    '`{1}` mislukte; daarom houdt de engine zich nog niet aan de nieuwe instellingen.',
  ],
  ['`{1}` did not end within {2} seconds.', '`{1}` was niet klaar binnen {2} seconden.'],
  ['Fix the file and try again.', 'Herstel het bestand en probeer het opnieuw.'],
  [
    'Save the file as UTF-8 without a byte order mark and try again.',
    'Sla het bestand op als UTF-8 zonder byte order mark en probeer het opnieuw.',
  ],
  [
    'Write {1} into it, or remove it, and try again.',
    'Schrijf er {1} in, of verwijder het, en probeer het opnieuw.',
  ],
  [
    "Move the flag's value into the file, start the engine without the flag, and try again.",
    'Zet de waarde van de vlag in het bestand, start de engine zonder de vlag, en probeer het opnieuw.',
  ],
  [
    "Use the registry's loopback address, or the gateway of the container network.",
    'Gebruik het loopback-adres van de registry, of de gateway van het containernetwerk.',
  ],
  [
    'Remove what it says about {1}, or keep it and set the engine up by hand.',
    'Verwijder wat er over {1} staat, of houd het en stel de engine met de hand in.',
  ],
  [
    'Move the file away, or keep it and set the engine up by hand.',
    'Haal het bestand weg, of houd het en stel de engine met de hand in.',
  ],
  [
    'If you added line {1} for an earlier tunnel, remove it and try again.',
    'Hebt u regel {1} voor een eerdere tunnel toegevoegd, verwijder hem dan en probeer het opnieuw.',
  ],
  ['{1} lacks one setting.', '{1} mist één instelling.'],
  ['{1} lacks {2} settings.', '{1} mist {2} instellingen.'],
  [
    'docker push works here: {1} asked {2}, and the registry answered.',
    'docker push werkt hier: {1} vroeg {2}, en de registry antwoordde.',
  ],
  [
    'docker push works here: {1} asked {2}, and each registry answered.',
    'docker push werkt hier: {1} vroeg {2}, en elke registry antwoordde.',
  ],
  [
    "Writing the settings; an administrator's leave may be asked for",
    'De instellingen worden geschreven; misschien wordt om toestemming van een beheerder gevraagd',
  ],
  ['Writing the settings', 'De instellingen worden geschreven'],
  ['Asking {1} what it goes by now', '{1} wordt gevraagd waar hij zich nu aan houdt'],
  ['{1} could not be read: {2}.', '{1} is niet te lezen: {2}.'],
  [
    'The journal in {1} could not be written or read: {2}.',
    'Het journaal in {1} is niet te schrijven of te lezen: {2}.',
  ],
  ["The journal in {1} is not one of Dockline's: {2}.", 'Het journaal in {1} is er geen van Dockline: {2}.'],
  [
    'dockerd reads its settings again; no container stops.',
    'Dockerd leest zijn instellingen opnieuw; er stopt geen container.',
  ],
  [
    'colima restarts, since its machine gets its settings at each start.',
    'Colima herstart, want zijn machine krijgt haar instellingen bij elke start.',
  ],
  [
    'dockerd is not running here; it will read its settings when it starts.',
    'Dockerd draait hier niet; het leest zijn instellingen als het start.',
  ],
  [
    'more than one dockerd is running, so none was told to read its settings again.',
    'Er draait meer dan één dockerd; daarom kreeg geen ervan te horen zijn instellingen opnieuw te lezen.',
  ],
  [
    'dockerd could not be told to read its settings again: {1}.',
    'Dockerd kon niet gevraagd worden zijn instellingen opnieuw te lezen: {1}.',
  ],
  [
    'The journal in {1} names {2}, which is no place for such a change.',
    "Het journaal in {1} noemt {2}, en dat is geen plaats voor zo'n verandering.",
  ],
  [
    'The request to dockline-helper could not be written: {1}.',
    'De opdracht voor dockline-helper is niet te schrijven: {1}.',
  ],
  [
    'Nothing was changed. Check that the folder for temporary files can be written.',
    'Er is niets veranderd. Kijk of in de map voor tijdelijke bestanden geschreven kan worden.',
  ],
  [
    "The change of the system's settings was begun with an administrator's rights and did not end well; what went wrong did not come back.",
    'De verandering van instellingen van het systeem is met de rechten van een beheerder begonnen en niet goed afgelopen; wat er misging, is niet teruggemeld.',
  ],
  [
    'Look at what is there now (dockline setup --plan, or dockline hosts --plan), then try again.',
    'Kijk wat er nu staat (“docker push hier laten werken”), en probeer het daarna opnieuw.',
  ],
  [
    'The settings are written, but something that makes them take effect failed. Restart the engine yourself.',
    'De instellingen zijn geschreven, maar iets dat ze laat ingaan, is mislukt. Herstart de engine zelf.',
  ],
  [
    'macOS asks you for leave and then trusts the certificate for your account.',
    'macOS vraagt u om toestemming en vertrouwt het certificaat daarna voor uw account.',
  ],
  ['macOS trusts the certificate for your account.', 'macOS vertrouwt het certificaat voor uw account.'],
  [
    'macOS asks you for leave and then forgets the certificate.',
    'macOS vraagt u om toestemming en vergeet het certificaat daarna.',
  ],
  ['macOS has forgotten the certificate.', 'macOS is het certificaat vergeten.'],
  ['macOS lets nobody but you do this: {1}', 'macOS laat dit alleen uzelf doen: {1}'],
  ['{1} names {2}, but {3} does not go by it yet.', '{1} noemt {2}, maar {3} houdt zich daar nog niet aan.'],
  [
    'The engine reads its settings again so that docker push works here; no running container stops.',
    'De engine leest zijn instellingen opnieuw, zodat docker push hier werkt; geen draaiende container stopt.',
  ],
  [
    'The engine starts anew so that docker push works here; the container {1} stops.',
    'De engine start opnieuw, zodat docker push hier werkt; de container {1} stopt.',
  ],
  [
    'The engine starts anew so that docker push works here; {1} running containers stop.',
    'De engine start opnieuw, zodat docker push hier werkt; {1} draaiende containers stoppen.',
  ],
  [
    "See what snapd has installed (snap list docker), and push without the engine's settings until then: dockline push IMAGE.",
    'Kijk wat snapd heeft geïnstalleerd (snap list docker), en push tot die tijd zonder de instellingen van de engine.',
  ],
  [
    'Start colima, which makes the file, and try again. If it keeps its files elsewhere, set COLIMA_HOME.',
    'Start colima, dat het bestand maakt, en probeer het opnieuw. Bewaart het zijn bestanden ergens anders, stel dan COLIMA_HOME in.',
  ],
  [
    "Nothing was changed. This lets you read the folder again: echo '{1}' | sudo dockline-helper",
    "Er is niets gewijzigd. Hiermee kunt u de map weer lezen: echo '{1}' | sudo dockline-helper",
  ],
  [
    'The files hold nothing of this any more, but a step after that failed.',
    'In de bestanden staat hier niets meer van, maar een stap daarna is mislukt.',
  ],
  ['{1!} It said: {2!}', '{1!} Het zei: {2!}'],
];
