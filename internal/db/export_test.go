package db

// OpenWith is Open with other migrations.
var OpenWith = openWith
