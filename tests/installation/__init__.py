"""The files that install cardiod as a service, judged by the programs that they are for."""
